// The lock of a container: flock(2) on its state directory.
#pragma once

#include "sys/result.h"

namespace tsrunc::engine {

// LOCK_EX, polling until `milliseconds` are over: EBUSY. ENOENT: whoever held it has removed the directory,
// whose path `path` is for messages.
[[nodiscard]] sys::Failure lock_directory(int directory, const char* path, int milliseconds);

}  // namespace tsrunc::engine
