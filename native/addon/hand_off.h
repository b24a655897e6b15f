// The end of node: what it changed in the process is given back and tsrunc is executed in its place.
#pragma once

#include <string>
#include <vector>

#include "sys/result.h"

namespace tsrunc::addon {

struct PlanBytes {
  const void* data;
  size_t size;
};

// Returns only when it failed. `handoff`: descriptor with the caller's record (launcher/handoff.h), closed by
// the execve. `plan`: nullptr, or the plan, which tsrunc finds in the descriptor that _TSRUNC_PLAN names; it
// is then run from a sealed copy of itself. `trace`: value of _TSRUNC_TRACE (launcher/trace_file.h), whose
// descriptor tsrunc gets too, or empty. Texts of the failure point into the arguments or static storage.
[[nodiscard]] sys::Failure hand_off(const std::string& executable, int handoff, const PlanBytes* plan,
                                    const std::vector<std::string>& argv, const std::string& trace);

}  // namespace tsrunc::addon
