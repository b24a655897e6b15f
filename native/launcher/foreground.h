// run without --detach: tsrunc stays and stands in for the container towards its caller.
#pragma once

#include "engine/host_context.h"
#include "launcher/log.h"
#include "launcher/notify.h"

namespace tsrunc::launcher {

// Forwards signals to init, copies between terminals, reaps, until init has ended. Returns what the shell
// would call its exit status: its own, or 128 and the signal. All signals stay blocked afterwards. Takes
// context.console. `notify`: the caller is told when the program is ready.
[[nodiscard]] int wait_in_foreground(engine::HostContext& context, Logger& log, Notify* notify = nullptr);

}  // namespace tsrunc::launcher
