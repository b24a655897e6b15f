// exec: one more process in a container, and in the foreground to its end.
#include <csignal>

#include "engine/engine.h"
#include "launcher/describe.h"
#include "launcher/existing.h"
#include "launcher/foreground.h"
#include "launcher/interruption.h"
#include "launcher/monitor_start.h"
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

// What runs without the monitor that it was to have ends.
[[nodiscard]] int become(PlannedCall& call, MonitorStart& monitor) {
  if (monitor.committed()) {
    monitor.become(nullptr);
  }
  (void)sys::pidfd_send_signal_raw(call.context.init_pidfd.get(), SIGKILL);
  monitor.remove_directory();
  return kExecFailed;
}

[[nodiscard]] int exec(PlannedCall& call, MonitorStart& monitor) {
  engine::HostContext& context = call.context;
  Existing existing;
  if (!open_existing(call, existing)) {
    return kExecFailed;
  }
  context.target.init = existing.saved.init;
  context.target.status = existing.status;
  context.target.pidfd = std::move(existing.pidfd);
  if (monitor.wanted() && !monitor.make_directory()) {
    return kExecFailed;
  }
  Interruption interruption(context);
  if (!context.plan.launch.detach) {
    interruption.hold_others();
  }
  engine::FailureRecord why;
  const bool runs = engine::exec(context, why);
  call.reap_heir();
  if (interruption.signal() != 0 || !runs) {
    monitor.remove_directory();
  }
  if (interruption.signal() != 0) {
    return end_interrupted(context, call.log, interruption.signal());
  }
  if (!runs) {
    call.log.error(Sentence(context.plan, why).text);
    return kExecFailed;
  }
  if (context.plan.launch.detach) {
    return monitor.wanted() ? become(call, monitor) : 0;
  }
  interruption.forward();
  if (context.console.valid()) {
    copy_size(context.console.get());
  }
  return wait_in_foreground(context, call.log);
}

}  // namespace

int exec_in_container(PlannedCall& call) {
  return monitored(call, kExecFailed, exec);
}

}  // namespace tsrunc::launcher
