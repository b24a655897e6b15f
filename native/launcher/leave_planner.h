// A planner for the next callers, left behind by a call that found none (src/planner/).
#pragma once

namespace tsrunc::launcher {

// To the planner: the descriptor of the directory that is locked until it listens.
inline constexpr char kPlannerLockVariable[] = "_TSRUNC_LOCKED_ROOT";

// Starts one for `root`, the directory of all containers' state, unless this process is not in the host's own
// namespaces, others could write to the directory, or the planner could not get out of the caller's cgroups.
// It has nothing of the caller: no descriptor, no terminal, no session, no directory, no environment.
// Whatever fails costs the planner and nothing else: the call goes on with node.
//
// `ending`: one that ends is still there, and is waited for.
void leave_planner(const char* root, bool ending);

}  // namespace tsrunc::launcher
