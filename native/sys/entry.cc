#include "sys/entry.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "sys/kernel.h"

namespace tsrunc::sys {
namespace {

[[nodiscard]] bool refused(const char* name) noexcept {
  if (*name != 0 && std::strchr(name, '/') == nullptr && std::strcmp(name, ".") != 0 &&
      std::strcmp(name, "..") != 0) {
    return false;
  }
  errno = EINVAL;
  return true;
}

}  // namespace

UniqueFd open_entry(int directory, const char* name, int flags, mode_t mode) noexcept {
  return UniqueFd(refused(name) ? -1 : ::openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC, mode));
}

UniqueFd open_made_directory(int directory, const char* name) noexcept {
  if (refused(name)) {
    return {};
  }
  auto fd = openat2(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
  if (!fd.ok()) {
    errno = fd.failure().code;
    return {};
  }
  return std::move(*fd);
}

UniqueFd open_again(int directory, int flags) noexcept {
  return UniqueFd(::openat(directory, ".", flags | O_DIRECTORY | O_CLOEXEC));
}

int make_entry_directory(int directory, const char* name, mode_t mode) noexcept {
  return refused(name) ? -1 : ::mkdirat(directory, name, mode);
}

int make_entry_node(int directory, const char* name, mode_t mode, dev_t device) noexcept {
  return refused(name) ? -1 : ::mknodat(directory, name, mode, device);
}

int make_entry_link(const char* target, int directory, const char* name) noexcept {
  return refused(name) ? -1 : ::symlinkat(target, directory, name);
}

int remove_entry(int directory, const char* name) noexcept {
  return refused(name) ? -1 : ::unlinkat(directory, name, 0);
}

int own_entry(int directory, const char* name, uid_t uid, gid_t gid) noexcept {
  return refused(name) ? -1 : ::fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int time_entry(int directory, const char* name, const timespec (&times)[2]) noexcept {
  return refused(name) ? -1 : ::utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

int stat_entry(int directory, const char* name, struct stat& out) noexcept {
  return refused(name) ? -1 : ::fstatat(directory, name, &out, AT_SYMLINK_NOFOLLOW);
}

ssize_t read_entry_link(int directory, const char* name, char* out, size_t size) noexcept {
  return refused(name) ? -1 : ::readlinkat(directory, name, out, size);
}

}  // namespace tsrunc::sys
