// restore: a container that goes on from a checkpoint, by CRIU, and in the foreground to its end.
#include <sys/prctl.h>

#include "engine/engine.h"
#include "launcher/attend.h"
#include "launcher/describe.h"
#include "launcher/interruption.h"
#include "launcher/planned.h"
#include "launcher/terminal.h"

namespace tsrunc::launcher {
namespace {

constexpr int kFailed = 1;

}  // namespace

int restore_container(PlannedCall& call) {
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
  if (launch.detach) {
    return 0;
  }
  if (context.console.valid()) {
    copy_size(context.console.get());
  }
  interruption.forward();
  return attend(context, nullptr, call.log);
}

}  // namespace tsrunc::launcher
