// The lock of a container while node decides what will be done to it; tsrunc takes it over with the plan.
#pragma once

#include <string>

#include "sys/result.h"

namespace tsrunc::addon {

// Locks the container whose state directory is `path` (engine/state_lock.h), for the rest of this process.
[[nodiscard]] sys::Failure lock_container(const std::string& path, int milliseconds);

// Close-on-exec descriptor of the directory that is locked, or -1.
[[nodiscard]] int locked_container() noexcept;

}  // namespace tsrunc::addon
