// The state of a container that has just been made.
#pragma once

#include "engine/host_context.h"
#include "sys/result.h"

namespace tsrunc::engine {

// Writes it beside its place, for a moment in which there is nothing else to do.
[[nodiscard]] sys::Failure draft_state(HostContext& context);

// From now on the container is created. What was drafted is taken where it still holds.
[[nodiscard]] sys::Failure save_state(HostContext& context);

}  // namespace tsrunc::engine
