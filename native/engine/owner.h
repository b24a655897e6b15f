// Who deletes a container at its end.
#pragma once

#include "engine/state_dir.h"
#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// This process, where run or restore stay in the foreground and do not keep the container; otherwise pid 0: a
// later delete does.
[[nodiscard]] sys::Result<ProcessId> find_owner(const wire::Launch& launch) noexcept;

// Whether there is an owner and it has ended: nobody will delete the container.
[[nodiscard]] bool has_dead_owner(const SavedState& state) noexcept;

}  // namespace tsrunc::engine
