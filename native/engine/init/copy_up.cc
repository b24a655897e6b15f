#include "engine/init/copy_up.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "engine/init/root_path.h"
#include "sys/entry.h"
#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// Directories are copied by recursion; the stack holds one buffer a level.
constexpr int kMaxDepth = 128;
constexpr size_t kBuffer = 2048;

// What getdents64(2) returns.
struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

Failure copy_directory(int from, int to, const char* path, int depth) noexcept;

Failure copy_owner(int directory, const char* name, const struct stat& status, const char* path) noexcept {
  if (sys::own_entry(directory, name, status.st_uid, status.st_gid) < 0) {
    return fail("fchownat", path);
  }
  // After chown, which clears the set-id bits. Links have no mode.
  if (!S_ISLNK(status.st_mode) && ::fchmodat(directory, name, status.st_mode & 07777U, 0) < 0) {
    return fail("fchmodat", path);
  }
  const timespec times[2] = {status.st_atim, status.st_mtim};
  return sys::time_entry(directory, name, times) < 0 ? fail("utimensat", path) : kOk;
}

Failure copy_regular(int from, int to, const char* name, off_t size, const char* path) noexcept {
  const UniqueFd source = sys::open_entry(from, name, O_RDONLY);
  const UniqueFd target = sys::open_entry(to, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!source.valid() || !target.valid()) {
    return fail("open", path);
  }
  while (size > 0) {
    const ssize_t sent = ::sendfile(target.get(), source.get(), nullptr, static_cast<size_t>(size));
    if (sent < 0) {
      return fail("sendfile", path);
    }
    if (sent == 0) {
      break;  // the file became shorter
    }
    size -= sent;
  }
  return kOk;
}

Failure copy_link(int from, int to, const char* name, const char* path) noexcept {
  char target[PATH_MAX];
  const ssize_t length = sys::read_entry_link(from, name, target, sizeof target - 1);
  if (length < 0) {
    return fail("readlinkat", path);
  }
  target[length] = 0;
  return sys::make_entry_link(target, to, name) < 0 ? fail("symlinkat", path) : kOk;
}

Failure copy_subdirectory(int from, int to, const char* name, const char* path, int depth) noexcept {
  if (sys::make_entry_directory(to, name, 0700) < 0) {
    return fail("mkdirat", path);
  }
  const UniqueFd source = sys::open_entry(from, name, O_RDONLY | O_DIRECTORY);
  const UniqueFd target = sys::open_entry(to, name, O_RDONLY | O_DIRECTORY);
  if (!source.valid() || !target.valid()) {
    return fail("open", path);
  }
  return copy_directory(source.get(), target.get(), path, depth + 1);
}

Failure copy_entry(int from, int to, const char* name, const char* path, int depth) noexcept {
  struct stat status {};
  if (sys::stat_entry(from, name, status) < 0) {
    return fail("fstatat", path);
  }
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      TSRUNC_TRY(copy_regular(from, to, name, status.st_size, path));
      break;
    case S_IFDIR:
      TSRUNC_TRY(copy_subdirectory(from, to, name, path, depth));
      break;
    case S_IFLNK:
      TSRUNC_TRY(copy_link(from, to, name, path));
      break;
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
      if (sys::make_entry_node(to, name, status.st_mode, status.st_rdev) < 0) {
        return fail("mknodat", path);
      }
      break;
    default:
      return kOk;
  }
  return copy_owner(to, name, status, path);
}

Failure copy_directory(int from, int to, const char* path, int depth) noexcept {
  if (depth > kMaxDepth) {
    return fail(ELOOP, "tmpcopyup", path, "directories nested too deeply to copy");
  }
  alignas(Entry) char buffer[kBuffer];
  for (;;) {
    const long got = ::syscall(SYS_getdents64, from, buffer, sizeof buffer);
    if (got < 0) {
      return fail("getdents64", path);
    }
    if (got == 0) {
      return kOk;
    }
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->length;
      const char* name = entry->name;
      if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0) {
        TSRUNC_TRY(copy_entry(from, to, name, path, depth));
      }
    }
  }
}

}  // namespace

Failure copy_up(InitContext& context, const char* path, int target) noexcept {
  sys::Result<UniqueFd> source = open_in_root(context, path, O_RDONLY | O_DIRECTORY);
  if (!source.ok()) {
    return source.failure();
  }
  const UniqueFd into = sys::open_again(target, O_RDONLY);
  if (!into.valid()) {
    return fail("open", path);
  }
  return copy_directory(source->get(), into.get(), path, 0);
}

}  // namespace tsrunc::engine
