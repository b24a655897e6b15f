// The second half of a warm call (warm.h): the sealed copy of tsrunc waits for the planner's answer. That it
// becomes the copy before, and not after, costs no time: the planner plans meanwhile.
#pragma once

#include "launcher/planner_call.h"
#include "launcher/planner_client.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// What goes back to the executable by _TSRUNC_COLD: for node; for node, and the planner ends.
inline constexpr char kCold[] = "cold";
inline constexpr char kStale[] = "stale";

// `words`: text of _TSRUNC_ASKED (launcher/handoff.h). Runs the plan, or becomes the executable again for
// what only node can do. Returns the exit code.
[[nodiscard]] int run_asked(int argc, char** argv, const char* words);

// The same for a process that is the sealed copy without having been executed again (become_in_place.h), or
// needs not be one.
// `executable`: what it was before.
[[nodiscard]] int await_plan(int argc, char** argv, const PlannerCall& call, PlannerClient client,
                             sys::UniqueFd executable);

// The same with a reply that is there already.
// `lock`: of the container whose limits are changed, where it is held.
[[nodiscard]] int run_reply(int argc, char** argv, const PlannerCall& call, const PlannerReply& reply,
                            sys::UniqueFd lock, sys::UniqueFd executable);

}  // namespace tsrunc::launcher
