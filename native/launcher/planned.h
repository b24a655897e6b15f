// What tsrunc does with the plan that node made.
#pragma once

namespace tsrunc::launcher {

// `words`: text of _TSRUNC_PLAN (launcher/handoff.h). Returns the exit code.
[[nodiscard]] int run_planned(const char* words);

}  // namespace tsrunc::launcher
