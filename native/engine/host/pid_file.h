#pragma once

#include "sys/result.h"

namespace tsrunc::engine {

// Removes the pid file of a container that never came to be, and the temporary file beside it. `pid`: what
// was written into it, in decimal. A file with another content is somebody else's and stays.
[[nodiscard]] sys::Failure remove_pid_file(const char* path, const char* pid) noexcept;

}  // namespace tsrunc::engine
