// exec: one more process in a container, and in the foreground to its end.
#include <csignal>

#include "engine/engine.h"
#include "launcher/describe.h"
#include "launcher/existing.h"
#include "launcher/foreground.h"
#include "launcher/interruption.h"
#include "launcher/planned.h"
#include "launcher/terminal.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

[[nodiscard]] int end_interrupted(engine::HostContext& context, Logger& log, int signal) {
  if (context.init_pidfd.valid()) {
    (void)sys::pidfd_send_signal_raw(context.init_pidfd.get(), SIGKILL);
  }
  char buffer[64];
  log.error(sys::Text(buffer).add("interrupted by signal ").add(static_cast<uint64_t>(signal)).c_str());
  Interruption::end_by(signal);
}

}  // namespace

int exec_in_container(PlannedCall& call) {
  engine::HostContext& context = call.context;
  Existing existing;
  if (!open_existing(call, existing)) {
    return kExecFailed;
  }
  context.target.init = existing.saved.init;
  context.target.status = existing.status;
  context.target.pidfd = std::move(existing.pidfd);
  Interruption interruption(context);
  engine::FailureRecord why;
  const bool runs = engine::exec(context, why);
  call.reap_heir();
  if (interruption.signal() != 0) {
    return end_interrupted(context, call.log, interruption.signal());
  }
  if (!runs) {
    call.log.error(Sentence(context.plan, why).text);
    return kExecFailed;
  }
  if (context.plan.launch.detach) {
    return 0;
  }
  interruption.forward();
  if (context.console.valid()) {
    copy_size(context.console.get());
  }
  return wait_in_foreground(context, call.log);
}

}  // namespace tsrunc::launcher
