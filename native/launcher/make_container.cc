// create and run: from a plan to a container, and with run in the foreground to its end.
#include <sys/prctl.h>

#include <cstdlib>

#include "engine/engine.h"
#include "launcher/attend.h"
#include "launcher/describe.h"
#include "launcher/interruption.h"
#include "launcher/monitor_start.h"
#include "launcher/notify.h"
#include "launcher/planned.h"
#include "launcher/terminal.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using engine::FailureRecord;
using engine::HostContext;

constexpr int kFailed = 1;

// From here on signals are for the program.
class AtOnce final : public engine::AtOnce {
 public:
  AtOnce(Interruption& interruption, bool detach) noexcept : interruption_(interruption), detach_(detach) {}
  [[nodiscard]] bool begin() override { return interruption_.forward_unless_came(!detach_); }

 private:
  Interruption& interruption_;
  bool detach_;
};

// A container without a program says nothing.
[[nodiscard]] sys::Failure open_notify(HostContext& context, Notify& notify) {
  return context.plan.header.has_process ? notify.open(context.state, std::getenv("NOTIFY_SOCKET"))
                                         : sys::kOk;
}

// Returns where that fails: a container without its monitor is not what was asked for.
[[nodiscard]] int become(PlannedCall& call, MonitorStart& monitor, Notify* notify) {
  monitor.become(notify);
  (void)take_away(call.context, call.log);
  return kFailed;
}

// From a plan to a container and, with run, to its program. `monitor` becomes what its name says, if it is
// wanted.
[[nodiscard]] int make(PlannedCall& call, MonitorStart& monitor) {
  HostContext& context = call.context;
  Logger& log = call.log;
  const wire::Launch& launch = context.plan.launch;
  const bool run = launch.action == static_cast<uint32_t>(wire::Action::kRun);
  if (run && !launch.detach && launch.subreaper && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    log.error(Sentence("become a sub-reaper", sys::fail("prctl")).text);
    return kFailed;
  }
  const bool notifies = context.plan.header.has_process && std::getenv("NOTIFY_SOCKET") != nullptr;
  Interruption interruption(context);
  AtOnce at_once(interruption, launch.detach);
  if (run && !monitor.wanted() && !context.plan.header.terminal && !notifies) {
    context.at_once = &at_once;
  }
  FailureRecord why;
  const bool created = engine::create(context, why);
  call.reap_heir();
  if (interruption.signal() != 0) {
    if (created) {
      (void)take_away(context, log);
    }
    end_interrupted(log, interruption.signal());
  }
  if (!created) {
    log.error(Sentence(context.plan, why).text);
    return kFailed;
  }
  if (monitor.wanted() && (!monitor.make_directory() || !monitor.committed())) {
    (void)take_away(context, log);
    return kFailed;
  }
  if (!run) {
    return monitor.wanted() ? become(call, monitor, nullptr) : 0;
  }
  if (context.console.valid()) {
    copy_size(context.console.get());
  }
  Notify notify;
  if (const sys::Failure failure = open_notify(context, notify); failure) {
    (void)take_away(context, log);
    log.error(Sentence("NOTIFY_SOCKET", failure).text);
    return kFailed;
  }
  if (!context.start_result.valid()) {
    if (!launch.detach) {
      interruption.hold_others();
    }
    interruption.forward();
  }
  if (!engine::start(context, why)) {
    FailureRecord second;
    if (!engine::destroy(context, second)) {
      log.warn(Sentence(context.plan, second).text);
    }
    log.error(Sentence(context.plan, why).text);  // last: this line is what engines show
    return kFailed;
  }
  if (monitor.wanted()) {
    return become(call, monitor, &notify);
  }
  return launch.detach ? notify.attend(context, log) : attend(context, &notify, log);
}

}  // namespace

int make_container(PlannedCall& call) {
  return monitored(call, kFailed, make);
}

}  // namespace tsrunc::launcher
