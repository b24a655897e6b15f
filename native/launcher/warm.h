// create, run, exec and update by a plan of the planner, a process that keeps the TypeScript core warm
// (src/planner/).
#pragma once

#include "sys/array.h"

namespace tsrunc::launcher {

inline constexpr int kNotPlanned = -1;

// Asks the planner where the command line or TSRUNC_PLANNER wants it, and becomes a sealed copy of tsrunc
// that waits for the plan and runs it (asked.h); for update, which stays outside of the container, as itself.
// Where there is no planner, a plan that is kept in a file is run (kept_call.h, also for `considered`).
// kNotPlanned: this call is for node, and nothing has changed that it would see. Otherwise the exit code of a
// call that must not go on without a planner; the reason is logged.
[[nodiscard]] int run_warm(int argc, char** argv, sys::Array<char>& considered);

// The call for which the planner had no plan after all. `words`: text of _TSRUNC_COLD (asked.h). Becomes
// node.
[[nodiscard]] int run_cold(int argc, char** argv, const char* words);

}  // namespace tsrunc::launcher
