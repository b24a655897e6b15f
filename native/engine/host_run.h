// The host side's interpreter.
#pragma once

#include "engine/failure_record.h"
#include "engine/host_context.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// Runs the operations of `list` in order. False, with `why` filled in, at the first that fails.
[[nodiscard]] bool run_list(HostContext& context, wire::List list, FailureRecord& why);

// What init has said of its own failure, if it has: of two failures the host side's is then the consequence.
void hear_init(HostContext& context);

// Tells init at exec.fifo to go on. `result`: reads what becomes of that.
[[nodiscard]] sys::Failure release_init(HostContext& context, sys::UniqueFd& result);

[[nodiscard]] sys::Failure run_op(HostContext& context, const wire::Op& op);

}  // namespace tsrunc::engine
