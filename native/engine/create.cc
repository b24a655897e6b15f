// create: from nothing to a container that waits for start.
#include "engine/engine.h"
#include "engine/host_run.h"
#include "engine/save_state.h"
#include "engine/sync.h"
#include "engine/trace.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;

// Then it is not init that waits to be told that it may outlive us (engine/init/courier.h).
bool speaks_by_courier(const wire::Plan& plan) {
  const wire::OpList& ops = plan.list(wire::List::kInit);
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind == wire::OpKind::kSetSeccompWithListener) {
      return true;
    }
  }
  return false;
}

// The state is on disk before init is told that it may outlive us: whoever is killed in between, either the
// pid can be found or there is no process.
Failure commit(HostContext& context) {
  const Span span("state", "save the state");
  TSRUNC_TRY(save_state(context));
  // Before init is told that it may outlive us: it comes to exec.fifo a moment later, and finds its word
  // there.
  if (context.at_once != nullptr && !speaks_by_courier(context.plan)) {
    TSRUNC_TRY(context.at_once->begin() ? release_init(context, context.start_result)
                                        : sys::fail(EINTR, "start", nullptr, nullptr));
  }
  TSRUNC_TRY(send_step(context.sync.get(), wire::Step::kCommitted));
  // Init closes its end once it no longer ends with its parent; before that we must not end.
  Message message;
  Failure failure = receive(context.sync.get(), message, nullptr);
  context.sync.reset();
  context.net_namespace.reset();
  if (!failure && message.type == MessageType::kFailure) {
    context.init_failure = message.record;
    context.init_failed = true;
    return sys::fail(message.record.code, "init", nullptr, nullptr);
  }
  return failure.code == ECONNRESET || !failure ? sys::kOk : failure;
}

// Whether init is there before the cgroups that it enters are (src/plan/late-enter.ts).
bool makes_cgroups_late(const wire::Plan& plan) {
  const wire::OpList& ops = plan.list(wire::List::kCreate);
  for (uint32_t i = 0; i < ops.count; ++i) {
    const wire::Op& op = ops.items[i];
    if (op.kind == wire::OpKind::kReleaseInit &&
        op.as<wire::ReleaseInit>().step == static_cast<uint32_t>(wire::Step::kGrouped)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool create(HostContext& context, FailureRecord& why) {
  Span make("state", "make the state directory");
  Failure made = context.state.make(context.plan);
  make.end();
  if (made) {
    record(why, wire::List::kCreate, kNoOp, made);
    return false;
  }
  context.creates = true;
  context.ungrouped = makes_cgroups_late(context.plan);
  bool ok = run_list(context, wire::List::kCreate, why);
  if (ok) {
    if (Failure failure = commit(context); failure) {
      record(why, wire::List::kCreate, kNoOp, failure);
      hear_init(context);
      why = context.init_failed ? context.init_failure : why;
      ok = false;
    }
  }
  if (!ok) {
    take_back(context);
  }
  return ok;
}

}  // namespace tsrunc::engine
