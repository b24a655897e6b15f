// What a planner is told of its caller.
#pragma once

#include "launcher/planner_call.h"
#include "launcher/planner_wire.h"
#include "sys/array.h"

namespace tsrunc::launcher {

// What a call has beside its words.
struct Surroundings {
  const char* root;               // directory of all containers' state
  int socket;                     // the planner's
  const sys::Array<char>& input;  // the standard input of a call that reads it
};

// The whole request. False: what only node can do, or tell the reason of: a configuration that cannot be
// read, for one. To be called before any other descriptor than the socket is opened: the request lists the
// caller's.
[[nodiscard]] bool compose_request(int argc, const char* const* argv, const PlannerCall& call,
                                   const Surroundings& around, sys::Array<char>& out);

}  // namespace tsrunc::launcher
