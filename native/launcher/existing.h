// The container that a plan is about, where the plan does not make it: exec, update, checkpoint.
#pragma once

#include "engine/state_dir.h"
#include "launcher/planned.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

struct Existing {
  engine::SavedState saved;
  engine::Status status = engine::Status::kStopped;
  sys::UniqueFd pidfd;  // of its first process; not valid where that has ended
};

// Opens the state directory that the plan's header names into `call.context.state`, and looks at the
// container now. False: it is not there, or somebody else's; that is logged.
[[nodiscard]] bool open_existing(PlannedCall& call, Existing& out);

}  // namespace tsrunc::launcher
