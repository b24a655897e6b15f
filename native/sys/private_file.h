// What nobody but its owner can read, write or enter.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

namespace tsrunc::sys {

// Whether it is of that type (S_IFREG, S_IFDIR), of this process's user, and closed to everybody else.
[[nodiscard]] inline bool is_private(const struct stat& about, mode_t type) noexcept {
  constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
  return (about.st_mode & S_IFMT) == type && (about.st_mode & kOthers) == 0 && about.st_uid == ::geteuid();
}

}  // namespace tsrunc::sys
