// create and run by a plan of the planner, a process that keeps the TypeScript core warm (src/planner/).
#pragma once

namespace tsrunc::launcher {

inline constexpr int kNotPlanned = -1;

// Asks the planner where the command line or TSRUNC_PLANNER wants it, and becomes a sealed copy of tsrunc
// that runs the plan. kNotPlanned: this call is for node, and nothing has changed. Otherwise the exit code of
// a call that must not go on without a planner; the reason is logged.
[[nodiscard]] int run_warm(int argc, char** argv);

}  // namespace tsrunc::launcher
