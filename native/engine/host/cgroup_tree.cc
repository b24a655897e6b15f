#include "engine/host/cgroup_tree.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/host/pid_list_text.h"
#include "sys/directory.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// Deeper than any container nests; bounds the open descriptors.
constexpr int kDeepest = 64;

// Two links, its name and its ".": a directory in it would be a third one, its "..". Not every file system
// counts them.
[[nodiscard]] bool has_no_children(int dir) noexcept {
  struct stat about {};
  struct statfs system {};
  constexpr nlink_t kNoChildren = 2;
  return ::fstat(dir, &about) == 0 && about.st_nlink == kNoChildren && ::fstatfs(dir, &system) == 0 &&
         (system.f_type == CGROUP_SUPER_MAGIC || system.f_type == CGROUP2_SUPER_MAGIC);
}

// The names of the directories in `dir`, each with its NUL, one after the other.
[[nodiscard]] Failure list_children(int dir, sys::Array<char>& names) noexcept {
  if (has_no_children(dir)) {
    return kOk;
  }
  UniqueFd again(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* stream = again.valid() ? ::fdopendir(again.get()) : nullptr;
  if (stream == nullptr) {
    return errno == ENOENT ? kOk : sys::fail("open");
  }
  (void)again.release();
  while (const dirent* entry = sys::next_entry(stream)) {
    if (entry->d_type == DT_DIR && std::strcmp(entry->d_name, ".") != 0 &&
        std::strcmp(entry->d_name, "..") != 0) {
      names.append(entry->d_name, std::strlen(entry->d_name) + 1);
    }
  }
  const Failure failure = errno == 0 ? kOk : sys::fail("getdents64");
  ::closedir(stream);
  return failure;
}

[[nodiscard]] Failure visit_at(int dir, CgroupVisitor& visitor, int depth) noexcept {
  sys::Array<char> names;
  TSRUNC_TRY(list_children(dir, names));
  for (size_t at = 0; at < names.size(); at += std::strlen(names.data() + at) + 1) {
    const UniqueFd child(::openat(dir, names.data() + at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // ENOENT: it was removed meanwhile.
    if (!child.valid() && errno != ENOENT) {
      return sys::fail("open");
    }
    if (child.valid() && depth < kDeepest) {
      TSRUNC_TRY(visit_at(child.get(), visitor, depth + 1));
    }
  }
  return visitor.visit(dir);
}

// rmdir of everything in `dir`, the deepest first. False if something stayed; errno then says why.
[[nodiscard]] bool remove_children(int dir, int depth) noexcept {
  sys::Array<char> names;
  if (list_children(dir, names)) {
    return false;
  }
  int code = 0;
  for (size_t at = 0; at < names.size(); at += std::strlen(names.data() + at) + 1) {
    const char* name = names.data() + at;
    if (::unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
      continue;
    }
    const UniqueFd child(::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const bool emptied = child.valid() && depth < kDeepest && remove_children(child.get(), depth + 1);
    if (!emptied || (::unlinkat(dir, name, AT_REMOVEDIR) != 0 && errno != ENOENT)) {
      code = errno;
    }
  }
  errno = code;
  return code == 0;
}

class PidCollector final : public CgroupVisitor {
 public:
  explicit PidCollector(sys::Array<pid_t>& out) noexcept : out_(out) {}
  [[nodiscard]] Failure visit(int dir) override { return read_pids(dir, out_); }

 private:
  sys::Array<pid_t>& out_;
};

[[nodiscard]] Failure still_busy(const char* path, char* detail, size_t size) noexcept {
  sys::Array<pid_t> pids;
  if (const auto dir = open_cgroup(path); dir.ok()) {
    (void)read_all_pids(dir->get(), pids);
  }
  sys::Text text(detail, size);
  text.add("cgroup ").add(path).add(" cannot be removed: ");
  if (pids.empty()) {
    text.add("the kernel says that it is busy, though it has no processes");
  } else {
    add_pids(text.add("it still holds "), pids);
  }
  return sys::fail(EBUSY, "rmdir", path, detail);
}

}  // namespace

sys::Result<UniqueFd> open_cgroup(const char* path) noexcept {
  UniqueFd dir(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) {
    return sys::fail("open", path);
  }
  return dir;
}

Failure read_pids(int dir, sys::Array<pid_t>& out) noexcept {
  sys::Array<char> text;
  if (const Failure failure = sys::read_whole(dir, "cgroup.procs", text); failure) {
    // cgroups(7) "Thread mode": EOPNOTSUPP; its processes are listed by the domain above. ENODEV: just
    // removed.
    const bool none = failure.code == ENOENT || failure.code == ENODEV || failure.code == EOPNOTSUPP;
    return none ? kOk : failure;
  }
  text.push(0);
  for (char* at = text.data(); *at != 0;) {
    char* end = nullptr;
    const unsigned long pid = std::strtoul(at, &end, 10);
    if (end == at) {
      break;
    }
    out.push(static_cast<pid_t>(pid));
    at = *end == '\n' ? end + 1 : end;
  }
  return kOk;
}

Failure read_all_pids(int dir, sys::Array<pid_t>& out) noexcept {
  PidCollector collector(out);
  return visit_cgroups(dir, collector);
}

Failure visit_cgroups(int dir, CgroupVisitor& visitor) noexcept {
  return visit_at(dir, visitor, 0);
}

bool remove_directory(const char* path) noexcept {
  if (::rmdir(path) == 0 || errno == ENOENT) {
    return true;
  }
  const int code = errno;
  if (code == EROFS && ::access(path, F_OK) != 0 && errno == ENOENT) {
    return true;
  }
  errno = code;
  return false;
}

Failure remove_cgroup(const char* path, sys::Patience patience, char* detail, size_t detail_size) noexcept {
  for (;;) {
    if (remove_directory(path)) {
      return kOk;
    }
    if (errno == EBUSY || errno == ENOTEMPTY) {
      if (const auto dir = open_cgroup(path);
          dir.ok() && remove_children(dir->get(), 0) && ::rmdir(path) == 0) {
        return kOk;
      }
    }
    if (errno == ENOENT) {
      return kOk;
    }
    if (errno != EBUSY && errno != ENOTEMPTY) {
      return sys::fail("rmdir", path);
    }
    if (patience.over()) {
      return still_busy(path, detail, detail_size);
    }
    patience.pause();
  }
}

}  // namespace tsrunc::engine
