// The second half of a warm call (warm.h): the sealed copy of tsrunc waits for the planner's answer. That it
// becomes the copy before, and not after, costs no time: the planner plans meanwhile.
#pragma once

namespace tsrunc::launcher {

// What goes back to the executable by _TSRUNC_COLD: for node; for node, and the planner ends.
inline constexpr char kCold[] = "cold";
inline constexpr char kStale[] = "stale";

// `words`: text of _TSRUNC_ASKED (launcher/handoff.h). Runs the plan, or becomes the executable again for
// what only node can do. Returns the exit code.
[[nodiscard]] int run_asked(int argc, char** argv, const char* words);

}  // namespace tsrunc::launcher
