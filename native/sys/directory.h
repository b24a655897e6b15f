// readdir(3), which tells its end from a failure by errno alone.
#pragma once

#include <dirent.h>

#include <cerrno>

namespace tsrunc::sys {

// The next entry, or nullptr: then errno is 0 at the end, and otherwise why there is no more.
[[nodiscard]] inline const dirent* next_entry(DIR* stream) noexcept {
  errno = 0;
  return ::readdir(stream);
}

}  // namespace tsrunc::sys
