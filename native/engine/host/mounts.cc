#include "engine/host/mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/host/mount_rows.h"
#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// A file system that does not answer must not keep delete for ever.
constexpr unsigned kChildSeconds = 20;
constexpr int kRounds = 64;

// Room for the ids of the mounts that were there, as the journal's line takes them.
using Ids = char[4096];

// "INODE ID ID ID" of what is mounted at and below `top` in the namespace of this process.
[[nodiscard]] Failure note(int process, const char* top, Ids& out) {
  MountRows rows;
  TSRUNC_TRY(rows.load(process));
  struct stat about {};
  if (::fstatat(process, "ns/mnt", &about, 0) != 0) {
    return sys::fail("stat", "/proc/self/ns/mnt");
  }
  sys::Text text(out);
  text.add(static_cast<uint64_t>(about.st_ino));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (at_or_below(rows[i].path, top)) {
      text.add(" ").add(rows[i].id);
    }
  }
  return text.cut() ? sys::fail(E2BIG, "read", top,
                                "too many mounts lie below the root of a container without a mount "
                                "namespace of its own")
                    : kOk;
}

// Whether `id` is a word of "INODE ID ID".
[[nodiscard]] bool listed(const char* ids, uint64_t id) noexcept {
  for (const char* at = std::strchr(ids, ' '); at != nullptr; at = std::strchr(at + 1, ' ')) {
    if (std::strtoull(at + 1, nullptr, 10) == id) {
      return true;
    }
  }
  return false;
}

[[nodiscard]] bool is_new(const MountRows& rows, const char* top, const char* before, uint64_t id) noexcept {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].id == id) {
      return at_or_below(rows[i].path, top) && !listed(before, id);
    }
  }
  return false;
}

// Unmounts what is found at `path`, if that is one of the container's mounts. The container may have
// exchanged a directory on the way for a link: no link is followed, and what was opened is compared by its
// mount id.
[[nodiscard]] bool unmount_one(int process, const MountRows& rows, const char* top, const char* before,
                               const char* path) noexcept {
  auto mount = sys::openat2(AT_FDCWD, path, O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  uint64_t id = 0;
  if (!mount.ok() || !find_mount_id(process, mount->get(), id) || !is_new(rows, top, before, id)) {
    return false;
  }
  // By the process's own descriptors, for umount2(2) takes paths only.
  const UniqueFd descriptors(::openat(process, "fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
  char name[24];
  sys::Text(name).add(static_cast<uint64_t>(mount->get()));
  if (!descriptors.valid() || ::fchdir(descriptors.get()) != 0) {
    return false;
  }
  return ::umount2(name, MNT_DETACH) == 0;
}

[[nodiscard]] Failure unmount_all(int process, const char* top, const char* before, char* detail,
                                  size_t size) {
  for (int round = 0;; ++round) {
    MountRows rows;
    TSRUNC_TRY(rows.load(process));
    const char* left = nullptr;
    bool progress = false;
    for (size_t i = rows.size(); i > 0; --i) {
      const MountRow& row = rows[i - 1];
      if (at_or_below(row.path, top) && !listed(before, row.id)) {
        left = row.path;
        progress = unmount_one(process, rows, top, before, row.path) || progress;
      }
    }
    if (left == nullptr) {
      return kOk;
    }
    if (!progress || round == kRounds) {
      sys::Text(detail, size).add("a mount of the container cannot be taken away: ").add(left);
      return sys::fail(EBUSY, "umount2", top, detail);
    }
  }
}

struct Work {
  const char* top;
  const char* before;  // nullptr: note what is there
  Ids ids;             // what was noted
};

struct Answer {
  int code;
  char detail[512];
  Ids ids;
};

[[nodiscard]] Failure work_here(int process, Work& work, char* detail, size_t size) {
  return work.before == nullptr ? note(process, work.top, work.ids)
                                : unmount_all(process, work.top, work.before, detail, size);
}

// What the child does: enters the namespace, works, answers.
void work_there(int ns, Work& work, int answer_fd) {
  (void)::alarm(kChildSeconds);
  static Answer answer;
  // Before setns: after it /proc is the container's.
  const UniqueFd process(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process.valid() || ::setns(ns, CLONE_NEWNS) != 0) {
    answer.code = errno;
    sys::Text(answer.detail).add("the container's mount namespace cannot be entered");
  } else if (const Failure failure = work_here(process.get(), work, answer.detail, sizeof answer.detail);
             failure) {
    answer.code = failure.code;
    sys::Text text(answer.detail);
    text.add(failure.detail == nullptr || failure.detail == answer.detail ? "" : failure.detail);
  }
  std::memcpy(answer.ids, work.ids, sizeof answer.ids);
  (void)sys::write_all(answer_fd, &answer, sizeof answer, nullptr);
}

[[nodiscard]] Failure in_namespace(int ns, const char* path, Work& work, char* detail, size_t size) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return sys::fail("pipe2");
  }
  UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    return sys::fail("fork");
  }
  if (child == 0) {
    work_there(ns, work, out.get());
    ::_exit(0);
  }
  out.reset();
  static Answer answer;
  const Failure failure = sys::read_exactly(in.get(), &answer, sizeof answer, path);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (failure) {
    return sys::fail(ETIMEDOUT, "umount2", path,
                     "the mounts in the container's mount namespace cannot be worked on");
  }
  if (answer.code != 0) {
    sys::Text(detail, size).add(answer.detail);
    return sys::fail(answer.code, "setns", path, answer.detail[0] != 0 ? detail : nullptr);
  }
  std::memcpy(work.ids, answer.ids, sizeof work.ids);
  return kOk;
}

// `expected`: inode of the namespace, or 0. ENOENT: it is gone, or the path leads to another one now.
[[nodiscard]] Failure open_namespace(const char* path, uint64_t expected, UniqueFd& out) noexcept {
  out = UniqueFd(::open(path, O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (!out.valid() || ::fstat(out.get(), &about) != 0) {
    return sys::fail("open", path);
  }
  return expected == 0 || expected == about.st_ino ? kOk : sys::fail(ENOENT, "open", path, nullptr);
}

[[nodiscard]] Failure work_at(Work& work, const char* ns_path, uint64_t inode, char* detail, size_t size) {
  if (*ns_path != 0) {
    UniqueFd ns;
    TSRUNC_TRY(open_namespace(ns_path, inode, ns));
    return in_namespace(ns.get(), ns_path, work, detail, size);
  }
  const UniqueFd process(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd here(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process.valid()) {
    return sys::fail("open", "/proc/self");
  }
  const Failure failure = work_here(process.get(), work, detail, size);
  if (here.valid() && ::fchdir(here.get()) != 0) {
    return failure ? failure : sys::fail("fchdir", ".");
  }
  return failure;
}

}  // namespace

Failure run(HostContext& context, const wire::JournalMounts& op) {
  if (std::strchr(op.namespace_path.data, '\t') != nullptr) {
    return sys::fail(EINVAL, "open", op.namespace_path.data,
                     "a tab in the path of a mount namespace is not supported");
  }
  Work work{op.path.data, nullptr, {}};
  TSRUNC_TRY(work_at(work, op.namespace_path.data, 0, context.detail, sizeof context.detail));
  TSRUNC_TRY(context.state.journal("mounted", work.ids));
  char where[2 * PATH_MAX];
  sys::Text text(where);
  text.add(op.path.data).add("\t").add(op.namespace_path.data);
  if (text.cut()) {
    return sys::fail(ENAMETOOLONG, "write", op.path.data, nullptr);
  }
  return context.state.journal("mounts", where);
}

Failure undo_mounts(const char* where, const char* before, char* detail, size_t detail_size) {
  char path[2 * PATH_MAX];
  sys::Text(path).add(where);
  char* tab = std::strrchr(path, '\t');
  if (tab != nullptr) {
    *tab = 0;
  }
  const char* ns_path = tab == nullptr ? "" : tab + 1;
  Work work{path, before, {}};
  const Failure failure = work_at(work, ns_path, std::strtoull(before, nullptr, 10), detail, detail_size);
  if (failure && *ns_path != 0 && failure.code == ENOENT && std::strcmp(failure.call, "open") == 0) {
    return kOk;
  }
  if (failure.path == path || failure.path == ns_path) {
    // Both live here only; the detail names what matters.
    return sys::fail(failure.code, failure.call, nullptr, failure.detail);
  }
  return failure;
}

}  // namespace tsrunc::engine
