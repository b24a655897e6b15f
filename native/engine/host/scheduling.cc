// Scheduling of init from outside: where its user namespace leaves it without the right to it.
#include "engine/scheduling.h"

#include "engine/host_context.h"

namespace tsrunc::engine {

// Init is a child that nobody else can reap: its pid cannot be another process's.
sys::Failure run(HostContext& context, const wire::SetScheduler& op) {
  return set_scheduler(context.init.pid, op);
}

sys::Failure run(HostContext& context, const wire::SetIoPriority& op) {
  return set_io_priority(context.init.pid, op);
}

}  // namespace tsrunc::engine
