// What a planner is told of its caller.
#pragma once

#include "launcher/planner_call.h"
#include "launcher/planner_wire.h"
#include "sys/array.h"

namespace tsrunc::launcher {

// The whole request. False: what only node can do, or tell the reason of: a configuration that cannot be
// read, for one. To be called before any other descriptor than `socket` is opened: the request lists the
// caller's. `root`: directory of all containers' state.
[[nodiscard]] bool compose_request(int argc, const char* const* argv, const PlannerCall& call,
                                   const char* root, int socket, sys::Array<char>& out);

// The answers to `questions` with their header. False: as above.
[[nodiscard]] bool compose_answers(const char* questions, size_t size, sys::Array<char>& out);

}  // namespace tsrunc::launcher
