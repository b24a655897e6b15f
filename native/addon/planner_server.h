// The sockets of planners, in node's event loop (uv.h): it costs a third of what node:net does for the same.
#pragma once

#include <napi.h>

namespace tsrunc::addon {

// servePlans({path, fd, executable, most, hear, forget, look}): a server's number. Listens at `path`, or at
// the listening socket `fd` where that is undefined, for `most` callers at a time. `hear(connection, caller,
// message)`: a caller's message is whole; `caller` is its pid, or 0 for one that is not planned for (peer.h).
// Its fourth argument: RepeatedPlans::facts. `look()`: the mount table has changed; whether all facts of the
// host are as they were.
// `forget(connection)`: one that was asked will not answer.
Napi::Value serve_plans(const Napi::CallbackInfo& info);

// answerPlan(server, connection, bytes, asks). One that has hung up meanwhile is passed over.
Napi::Value answer_plan(const Napi::CallbackInfo& info);

// dropPlan(server, connection): without an answer.
Napi::Value drop_plan(const Napi::CallbackInfo& info);

// planCallers(server): how many are connected.
Napi::Value plan_callers(const Napi::CallbackInfo& info);

// keepPlan(server, {message, words, looks, reply}, facts): repeated_plans.h.
Napi::Value keep_plan(const Napi::CallbackInfo& info);
// keptFacts(): launcher/kept_facts.h.
Napi::Value kept_facts(const Napi::CallbackInfo& info);
// keepInFile(root, {message, words, looks, reply}, files, facts): launcher/kept_plans.h.
Napi::Value keep_in_file(const Napi::CallbackInfo& info);

// repeatedPlans(server): how many callers were answered so.
Napi::Value repeated_plans(const Napi::CallbackInfo& info);

// stopPlans(server): closes all.
Napi::Value stop_plans(const Napi::CallbackInfo& info);

}  // namespace tsrunc::addon
