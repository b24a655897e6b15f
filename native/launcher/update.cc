// update: new limits for a container that exists. It was locked before anybody looked at the limits in force,
// which the plan is made of: two updates at a time would each undo the other's.
#include <cerrno>
#include <utility>

#include "engine/engine.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/existing.h"
#include "launcher/planned.h"

namespace tsrunc::launcher {
namespace {

constexpr int kFailed = 1;

[[nodiscard]] sys::Failure take_lock(PlannedCall& call) {
  return call.lock.valid() ? call.context.state.adopt_lock(std::move(call.lock))
                           : sys::fail(EINVAL, "flock", nullptr, "the plan was made without it");
}

}  // namespace

int update_container(PlannedCall& call) {
  engine::HostContext& context = call.context;
  Existing existing;
  const bool found = open_existing(call, existing);
  call.reap_heir();
  if (!found) {
    return kFailed;
  }
  if (const sys::Failure failure = take_lock(call); failure) {
    call.log.error(Sentence("take over the lock of the container", failure).text);
    return kFailed;
  }
  engine::SavedState saved;
  engine::Status status = engine::Status::kStopped;
  if (const sys::Failure failure = engine::derive_status(context.state, &context.plan, saved, status);
      failure) {
    return report_missing(call.log, context.plan.header.id.data, failure);
  }
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
