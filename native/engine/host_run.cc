#include "engine/host_run.h"

#include <poll.h>

#include <cstring>

#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/text.h"

namespace tsrunc::engine {

using sys::Failure;

Failure run_op(HostContext& context, const wire::Op& op) {
  const Span span(op);
  switch (op.kind) {
#define TSRUNC_RUN(name)      \
  case wire::OpKind::k##name: \
    return run(context, op.as<wire::name>());
    TSRUNC_HOST_OPS(TSRUNC_RUN)
#undef TSRUNC_RUN
#define TSRUNC_REFUSE(name) case wire::OpKind::k##name:
    TSRUNC_INIT_ONLY_OPS(TSRUNC_REFUSE)
#undef TSRUNC_REFUSE
    break;
  }
  return sys::fail(EINVAL, "plan", nullptr, "an operation of init stands in the host side's list");
}

void hear_init(HostContext& context) {
  while (context.sync.valid() && !context.init_failed) {
    pollfd waiting{context.sync.get(), POLLIN, 0};
    Message message;
    if (::poll(&waiting, 1, 0) <= 0 || receive(context.sync.get(), message, nullptr)) {
      return;
    }
    if (message.type == MessageType::kFailure) {
      context.init_failure = message.record;
      context.init_failed = true;
    }
  }
}

namespace {

[[nodiscard]] bool run_each(HostContext& context, wire::List list, FailureRecord& why) {
  const wire::OpList& ops = context.plan.list(list);
  for (uint32_t i = 0; i < ops.count; ++i) {
    const wire::Op& op = ops.items[i];
    char line[512];
    sys::Text(line).add(op.what.data).add(op.pointer.empty() ? "" : " ").add(op.pointer.data);
    context.log.debug(line);
    context.suffix[0] = 0;
    if (op.kind != wire::OpKind::kWriteCgroupFile) {
      context.written.fd.reset();
    }
    Failure failure = run_op(context, op);
    if (failure) {
      record(why, list, i, failure);
      sys::Text(why.suffix).add(context.suffix);
      hear_init(context);
      if (context.init_failed) {
        // Init knows which of its own operations it was.
        why = context.init_failure;
      }
      return false;
    }
  }
  return true;
}

}  // namespace

bool run_list(HostContext& context, wire::List list, FailureRecord& why) {
  const bool good = run_each(context, list, why);
  context.written.fd.reset();
  return good;
}

}  // namespace tsrunc::engine
