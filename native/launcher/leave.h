// The end of a process.
#pragma once

#include <unistd.h>

#include <cstdlib>

namespace tsrunc::launcher {

// Ends it at once (_exit(2)). What exit(3) does before is for streams and handlers of the C library, and
// nothing here has any; the kernel takes back memory and descriptors faster than they are given back.
[[noreturn]] inline void leave(int code) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  std::exit(code);  // which looks for leaks
#else
  ::_exit(code);
#endif
}

}  // namespace tsrunc::launcher
