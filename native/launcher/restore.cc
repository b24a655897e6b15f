// restore: a container that goes on from a checkpoint, by CRIU, and in the foreground to its end.
#include <sys/prctl.h>

#include "engine/engine.h"
#include "launcher/attend.h"
#include "launcher/describe.h"
#include "launcher/interruption.h"
#include "launcher/monitor_start.h"
#include "launcher/planned.h"
#include "launcher/terminal.h"

namespace tsrunc::launcher {
namespace {

constexpr int kFailed = 1;

// Returns where that fails: a container without its monitor is not what was asked for.
[[nodiscard]] int become(PlannedCall& call, MonitorStart& monitor) {
  if (monitor.make_directory() && monitor.committed()) {
    monitor.become(nullptr);
  }
  (void)take_away(call.context, call.log);
  return kFailed;
}

[[nodiscard]] int restore(PlannedCall& call, MonitorStart& monitor) {
  engine::HostContext& context = call.context;
  const wire::Launch& launch = context.plan.launch;
  if (!launch.detach && launch.subreaper && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    call.log.error(Sentence("become a sub-reaper", sys::fail("prctl")).text);
    return kFailed;
  }
  Interruption interruption(context);
  engine::FailureRecord why;
  const bool restored = engine::restore(context, why);
  call.reap_heir();
  if (interruption.signal() != 0) {
    if (restored) {
      (void)take_away(context, call.log);
    }
    end_interrupted(call.log, interruption.signal());
  }
  if (!restored) {
    call.log.error(Sentence(context.plan, why).text);
    return kFailed;
  }
  if (monitor.wanted()) {
    return become(call, monitor);
  }
  if (launch.detach) {
    return 0;
  }
  if (context.console.valid()) {
    copy_size(context.console.get());
  }
  interruption.forward();
  return attend(context, nullptr, call.log);
}

}  // namespace

int restore_container(PlannedCall& call) {
  return monitored(call, kFailed, restore);
}

}  // namespace tsrunc::launcher
