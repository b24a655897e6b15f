// create, run and exec by a plan that is kept in a file (kept_plans.h), where no planner plans.
#pragma once

#include "launcher/planner_call.h"
#include "sys/array.h"

namespace tsrunc::launcher {

// Becomes a sealed copy of tsrunc and runs the plan that was kept for such calls. kNotPlanned (warm.h): there
// is none, this call is for node, and nothing has changed that it would see. `root`: directory of all
// containers' state. `considered`: the request, where node is to look whether its plan is worth keeping.
[[nodiscard]] int run_kept(int argc, char** argv, const PlannerCall& call, const char* root,
                           sys::Array<char>& considered);

}  // namespace tsrunc::launcher
