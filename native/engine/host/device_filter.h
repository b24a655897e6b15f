// The eBPF filter of devices of a cgroup of version 2.
#pragma once

#include "sys/result.h"

namespace tsrunc::engine {

// `new_program` takes the place of `old_program` in the cgroup directory `path`; -1 is none.
[[nodiscard]] sys::Failure swap_device_filter(const char* path, int old_program, int new_program) noexcept;

}  // namespace tsrunc::engine
