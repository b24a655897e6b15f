#pragma once

#include "engine/host_context.h"
#include "sys/result.h"

namespace tsrunc::engine {

// Takes away what the journal says was made, the last first. Goes on after a failure and returns the first.
// Works without a plan; to do it twice is no failure.
[[nodiscard]] sys::Failure undo_journal(HostContext& context);

}  // namespace tsrunc::engine
