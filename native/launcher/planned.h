// What tsrunc does with the plan that node made.
#pragma once

namespace tsrunc::launcher {

// `descriptor`: text of _TSRUNC_PLAN, the number of the sealed memfd. Returns the exit code.
[[nodiscard]] int run_planned(const char* descriptor);

}  // namespace tsrunc::launcher
