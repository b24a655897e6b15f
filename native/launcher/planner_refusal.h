// A call that was to be planned by a planner (--planner on), and cannot be.
#pragma once

#include "launcher/planner_call.h"
#include "sys/array.h"
#include "sys/result.h"

namespace tsrunc::launcher {

// Appends the directory of all containers' state and its end.
void add_root(const PlannerCall& call, sys::Array<char>& out);

// The exit code of the verb's own failures.
[[nodiscard]] int failed_code(const PlannerCall& call) noexcept;

// Logs why. Returns failed_code().
[[nodiscard]] int refuse(const PlannerCall& call, const char* text);
[[nodiscard]] int refuse(const PlannerCall& call, const char* root, const sys::Failure& failure);

}  // namespace tsrunc::launcher
