// config.md "Linux Process": execCPUAffinity.
#pragma once

#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// sched_setaffinity(2) of the caller. Allocates nothing.
[[nodiscard]] sys::Failure set_affinity(const wire::SetCpuAffinity& op) noexcept;

}  // namespace tsrunc::engine
