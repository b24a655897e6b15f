// update: new limits for a container that exists.
#include "engine/engine.h"
#include "launcher/describe.h"
#include "launcher/existing.h"
#include "launcher/planned.h"

namespace tsrunc::launcher {
namespace {

constexpr int kFailed = 1;
// More than `--memory-mode safe` takes (src/plan/cgroup/update.ts).
constexpr int kLockMilliseconds = 20000;

}  // namespace

int update_container(PlannedCall& call) {
  engine::HostContext& context = call.context;
  Existing existing;
  const bool found = open_existing(call, existing);
  call.reap_heir();
  if (!found) {
    return kFailed;
  }
  // Two updates at a time would each put back what the other has changed.
  if (const sys::Failure failure = context.state.lock(kLockMilliseconds); failure) {
    call.log.error(Sentence("wait for another call about this container", failure).text);
    return kFailed;
  }
  engine::SavedState saved;
  const engine::Status status = engine::derive_status(context.state, &context.plan, saved);
  if (status == engine::Status::kStopped || status == engine::Status::kCreating) {
    call.log.error("container not running");
    return kFailed;
  }
  engine::FailureRecord why;
  if (!engine::update(context, why)) {
    call.log.error(Sentence(context.plan, why).text);
    return kFailed;
  }
  return 0;
}

}  // namespace tsrunc::launcher
