// makeCgroup: the directories of a container's cgroup.
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/host/cgroup_freeze.h"
#include "engine/host/cgroup_tree.h"
#include "engine/host/pid_list_text.h"
#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// Another container's delete may take away a shared parent between our looking at it and our using it.
constexpr int kTries = 16;

constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// cpusets(7): a v1 cpuset without CPUs and memory nodes takes no process. It gets those of the directory
// above. `fresh`: it was made a moment ago, and has none yet; or, with cgroup.clone_children, those already.
[[nodiscard]] Failure inherit_cpuset(HostContext& context, int parent, int child, bool fresh,
                                     const char* path) noexcept {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    const auto named = [&]() noexcept {
      return sys::Text(context.detail).add(path).add("/").add(file).c_str();
    };
    char text[4096];
    if (!fresh) {
      const auto own = sys::read_record(child, file, text, sizeof text);
      if (!own.ok()) {
        return sys::fail(own.failure().code, own.failure().call, named(), nullptr);
      }
      if (*own > 0 && text[0] != '\n') {
        continue;
      }
    }
    const auto got = sys::read_record(parent, file, text, sizeof text);
    if (!got.ok()) {
      return sys::fail(got.failure().code, got.failure().call, named(), nullptr);
    }
    if (const Failure failure = sys::write_file(child, file, text, *got); failure) {
      return sys::fail(failure.code, failure.call, named(),
                       "the CPUs and memory nodes of the cgroup above are refused");
    }
  }
  return kOk;
}

[[nodiscard]] Failure refuse_processes(HostContext& context, int dir, const char* path) {
  sys::Array<pid_t> pids;
  if (const Failure failure = read_all_pids(dir, pids); failure) {
    return sys::fail(failure.code, failure.call, path, failure.detail);
  }
  if (pids.empty()) {
    return kOk;
  }
  sys::Text text(context.detail);
  add_pids(text.add("container's cgroup ").add(path).add(" is not empty: it holds "), pids);
  return sys::fail(EBUSY, "open", path, context.detail);
}

// config-linux.md "Cgroups Path": a runtime MAY refuse a cgroup that is not fit. A process that joins a
// frozen one would stand still before it is a container.
[[nodiscard]] Failure check_existing(HostContext& context, int dir, const wire::MakeCgroup& op) {
  if (!op.must_be_empty) {
    return kOk;
  }
  TSRUNC_TRY(refuse_processes(context, dir, op.path.data));
  const bool frozen = v1_freezer(dir) == Freezing::kFrozen || v2_freezer(dir) == Freezing::kFrozen;
  return frozen ? sys::fail(EBUSY, "open", op.path.data, "container's cgroup is frozen") : kOk;
}

// Names alone, one or more: a path that open(2) and mkdir(2) take as Maker does.
[[nodiscard]] bool is_plain(const char* beneath) noexcept {
  do {
    const size_t length = *beneath == '/' ? std::strcspn(beneath + 1, "/") : 0;
    if (length == 0 || length > NAME_MAX || std::strspn(beneath + 1, ".") == length) {
      return false;
    }
    beneath += 1 + length;
  } while (*beneath != 0);
  return true;
}

// Walks from the hierarchy's mount point down to the container's directory.
class Maker {
 public:
  Maker(HostContext& context, const wire::MakeCgroup& op) noexcept : context_(context), op_(op) {}

  [[nodiscard]] Failure make() {
    Failure failure;
    return make_by_path(failure) ? failure : walk();
  }

 private:
  // Most are made beneath a directory that is there: by its path that takes two system calls fewer for each
  // directory on the way. A cgroup file system has no symbolic links. False: the rest, and what is to be said
  // of a failure, is the walk's.
  [[nodiscard]] bool make_by_path(Failure& out) {
    if (op_.cpuset || !is_plain(op_.path.data + op_.root.size) || !has_parent()) {
      return false;
    }
    const UniqueFd there(::open(op_.path.data, kFlags));
    if (there.valid()) {
      out = check_existing(context_, there.get(), op_);
      return true;
    }
    if (errno == EACCES || errno == ENOTDIR) {
      return false;  // the walk says at which directory
    }
    if (errno != ENOENT) {
      out = sys::fail("open", op_.path.data);
      return true;
    }
    // Before the effect, as in step().
    out = context_.state.journal("cgroup", op_.path.data);
    if (!out && ::mkdir(op_.path.data, 0755) != 0 && errno != EEXIST) {
      out = sys::fail("mkdir", op_.path.data);
    }
    return out.code != ENOENT;
  }

  // Whether the directory above is there, as the mount point is. No line is to speak of a directory that
  // cannot be made yet.
  [[nodiscard, gnu::noinline]] bool has_parent() {
    const auto length = static_cast<size_t>(std::strrchr(op_.path.data, '/') - op_.path.data);
    char above[PATH_MAX];
    return length == op_.root.size ||
           (!sys::Text(above).add(op_.path.data, length).cut() && ::access(above, F_OK) == 0);
  }

  [[nodiscard]] Failure walk() {
    UniqueFd parent(::open(op_.root.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent.valid()) {
      return sys::fail("open", op_.root.data);
    }
    for (const char* at = op_.path.data + op_.root.size; *at != 0;) {
      const char* name = at + std::strspn(at, "/");
      const size_t length = std::strcspn(name, "/");
      at = name + length;
      if (length == 0) {
        break;
      }
      UniqueFd child;
      bool fresh = false;
      TSRUNC_TRY(step(parent.get(), name, length, at[std::strspn(at, "/")] == 0, child, fresh));
      if (op_.cpuset) {
        TSRUNC_TRY(inherit_cpuset(context_, parent.get(), child.get(), fresh, op_.path.data));
      }
      parent = std::move(child);
    }
    return kOk;
  }

  // `child`: not valid for a leaf that is new, where nothing is to be done in it.
  [[nodiscard]] Failure step(int parent, const char* name, size_t length, bool leaf, UniqueFd& child,
                             bool& fresh) {
    char component[NAME_MAX + 1];
    if (length > NAME_MAX || (length == 2 && name[0] == '.' && name[1] == '.')) {
      return sys::fail(EINVAL, "mkdir", op_.path.data, "a component of the cgroup's path is not a name");
    }
    std::memcpy(component, name, length);
    component[length] = 0;
    child = UniqueFd(::openat(parent, component, kFlags));
    if (child.valid()) {
      return leaf ? check_existing(context_, child.get(), op_) : kOk;
    }
    if (errno != ENOENT) {
      return sys::fail("open", op_.path.data);
    }
    // Before the effect: a crash between the two leaves a line that speaks of nothing, never a directory
    // without one.
    TSRUNC_TRY(journal(name + length));
    fresh = ::mkdirat(parent, component, 0755) == 0;
    if (!fresh && errno != EEXIST) {
      return sys::fail("mkdir", op_.path.data);
    }
    if (leaf && !op_.cpuset) {
      return kOk;
    }
    child = UniqueFd(::openat(parent, component, kFlags));
    return child.valid() ? kOk : sys::fail("open", op_.path.data);
  }

  // The path up to `end`.
  [[nodiscard]] Failure journal(const char* end) {
    return *end == 0 ? context_.state.journal("cgroup", op_.path.data) : journal_prefix(end);
  }

  [[nodiscard, gnu::noinline]] Failure journal_prefix(const char* end) {
    char prefix[PATH_MAX];
    sys::Text text(prefix);
    text.add(op_.path.data, static_cast<size_t>(end - op_.path.data));
    if (text.cut()) {
      return sys::fail(ENAMETOOLONG, "mkdir", op_.path.data, nullptr);
    }
    return context_.state.journal("cgroup", prefix);
  }

  HostContext& context_;
  const wire::MakeCgroup& op_;
};

}  // namespace

Failure run(HostContext& context, const wire::MakeCgroup& op) {
  const bool beneath = std::strncmp(op.path.data, op.root.data, op.root.size) == 0 &&
                       (op.path.data[op.root.size] == '/' || op.path.data[op.root.size] == 0);
  if (!beneath) {
    return sys::fail(EINVAL, "mkdir", op.path.data, "the cgroup is not beneath its hierarchy's mount point");
  }
  for (int tries = 1;; ++tries) {
    const Failure failure = Maker(context, op).make();
    const bool taken_away = failure.code == ENOENT || failure.code == ENODEV;
    if (!taken_away || tries == kTries) {
      return failure;
    }
  }
}

}  // namespace tsrunc::engine
