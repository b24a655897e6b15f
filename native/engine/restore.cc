// restore: from nothing to a container that goes on from where a checkpoint was.
#include "engine/engine.h"
#include "engine/host_run.h"

namespace tsrunc::engine {

bool restore(HostContext& context, FailureRecord& why) {
  if (const sys::Failure failure = context.state.make(context.plan); failure) {
    record(why, wire::List::kCreate, kNoOp, failure);
    return false;
  }
  if (run_list(context, wire::List::kCreate, why)) {
    context.restoring.criu.finish();
    return true;
  }
  // First: it ends what it has made, and lets go of it.
  context.restoring.criu.finish();
  take_back(context);
  return false;
}

}  // namespace tsrunc::engine
