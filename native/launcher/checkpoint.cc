// checkpoint: a running container into files, by CRIU.
#include <csignal>

#include "engine/engine.h"
#include "engine/host_run.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/existing.h"
#include "launcher/planned.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

constexpr int kFailed = 1;
constexpr int kLockMilliseconds = 10000;

[[nodiscard]] int refuse(PlannedCall& call, engine::Status status) {
  char buffer[512];
  sys::Text text(buffer);
  text.add("cannot save container \"").add(call.context.plan.header.id.data).add("\": it is ");
  call.log.error(text.add(engine::status_name(status)).add(", not running").c_str());
  return kFailed;
}

// A call that ended halfway would leave CRIU alone with what it does to the container's processes.
void block_signals() noexcept {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    sigaddset(&signals, signal);
  }
  (void)::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

// By the plan that create saved, as delete does it.
[[nodiscard]] int destroy(PlannedCall& call) {
  engine::StateDir& state = call.context.state;
  wire::Plan saved;
  if (const sys::Failure failure = state.load_plan(saved); failure) {
    call.log.error(Sentence("delete the saved container", failure).text);
    return kFailed;
  }
  engine::HostContext context(saved, state, call.log);
  engine::FailureRecord why;
  if (!engine::destroy(context, why)) {
    call.log.error(Sentence(saved, why).text);
    return kFailed;
  }
  return 0;
}

}  // namespace

int checkpoint_container(PlannedCall& call) {
  engine::HostContext& context = call.context;
  Existing existing;
  const bool found = open_existing(call, existing);
  call.reap_heir();
  if (!found) {
    return kFailed;
  }
  if (const sys::Failure failure = context.state.lock(kLockMilliseconds); failure) {
    call.log.error(Sentence("wait for another call about this container", failure).text);
    return kFailed;
  }
  engine::SavedState saved;
  engine::Status status = engine::Status::kStopped;
  if (const sys::Failure failure = engine::derive_status(context.state, &context.plan, saved, status);
      failure) {
    return report_missing(call.log, context.plan.header.id.data, failure);
  }
  // Engines pause a container before they save it.
  if (status != engine::Status::kRunning && status != engine::Status::kPaused) {
    return refuse(call, status);
  }
  block_signals();
  engine::FailureRecord why;
  if (!engine::run_list(context, wire::List::kCreate, why)) {
    call.log.error(Sentence(context.plan, why).text);
    return kFailed;
  }
  return context.plan.launch.keep ? 0 : destroy(call);
}

}  // namespace tsrunc::launcher
