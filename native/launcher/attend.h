// run and restore: what is left to do once the container runs, or is to run no more.
#pragma once

#include "engine/host_context.h"
#include "launcher/log.h"
#include "launcher/notify.h"

namespace tsrunc::launcher {

// Takes the container away again. False if something of it is left; that is logged.
[[nodiscard]] bool take_away(engine::HostContext& context, Logger& log);

// Ends this process by `signal`, which came while a container was made.
[[noreturn]] void end_interrupted(Logger& log, int signal);

// The container runs: others may use it, by the lock. Waits for its end in the foreground, and deletes it
// unless it is kept. `notify`: as of wait_in_foreground. Returns the exit code.
[[nodiscard]] int attend(engine::HostContext& context, Notify* notify, Logger& log);

}  // namespace tsrunc::launcher
