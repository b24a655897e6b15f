// create and run: from a plan to a container, and with run in the foreground to its end.
#include <sys/file.h>
#include <sys/prctl.h>

#include <cstdlib>

#include "engine/engine.h"
#include "launcher/describe.h"
#include "launcher/foreground.h"
#include "launcher/interruption.h"
#include "launcher/notify.h"
#include "launcher/planned.h"
#include "launcher/terminal.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using engine::FailureRecord;
using engine::HostContext;

constexpr int kFailed = 1;
constexpr int kLockMilliseconds = 10000;

// Takes the container away again. False if something of it is left; that is logged.
[[nodiscard]] bool destroy(HostContext& context, Logger& log) {
  FailureRecord why;
  if (engine::destroy(context, why)) {
    return true;
  }
  log.error(Sentence(context.plan, why).text);
  return false;
}

[[nodiscard]] int end_interrupted(Logger& log, int signal) {
  char buffer[64];
  log.error(sys::Text(buffer).add("interrupted by signal ").add(static_cast<uint64_t>(signal)).c_str());
  Interruption::end_by(signal);
}

// The container runs. Others may use it: kill, state and delete --force come by the lock.
[[nodiscard]] int attend(HostContext& context, Notify& notify, Logger& log) {
  (void)::flock(context.state.fd(), LOCK_UN);
  const int status = wait_in_foreground(context, log, &notify);
  if (context.plan.launch.keep) {
    return status;
  }
  if (const sys::Failure failure = context.state.lock(kLockMilliseconds); failure) {
    if (failure.code == ENOENT) {
      return status;  // somebody has deleted it already
    }
    log.error(Sentence("delete the container", failure).text);
    return status != 0 ? status : kFailed;
  }
  return destroy(context, log) || status != 0 ? status : kFailed;
}

// A container without a program says nothing.
[[nodiscard]] sys::Failure open_notify(HostContext& context, Notify& notify) {
  return context.plan.header.has_process ? notify.open(context.state, std::getenv("NOTIFY_SOCKET"))
                                         : sys::kOk;
}

}  // namespace

int make_container(PlannedCall& call) {
  HostContext& context = call.context;
  Logger& log = call.log;
  const wire::Launch& launch = context.plan.launch;
  const bool run = launch.action == static_cast<uint32_t>(wire::Action::kRun);
  if (run && !launch.detach && launch.subreaper && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    log.error(Sentence("become a sub-reaper", sys::fail("prctl")).text);
    return kFailed;
  }
  Interruption interruption(context);
  FailureRecord why;
  const bool created = engine::create(context, why);
  call.reap_heir();
  if (interruption.signal() != 0) {
    if (created) {
      (void)destroy(context, log);
    }
    return end_interrupted(log, interruption.signal());
  }
  if (!created) {
    log.error(Sentence(context.plan, why).text);
    return kFailed;
  }
  if (!run) {
    return 0;
  }
  if (context.console.valid()) {
    copy_size(context.console.get());
  }
  Notify notify;
  if (const sys::Failure failure = open_notify(context, notify); failure) {
    (void)destroy(context, log);
    log.error(Sentence("NOTIFY_SOCKET", failure).text);
    return kFailed;
  }
  interruption.forward();
  if (!engine::start(context, why)) {
    FailureRecord second;
    if (!engine::destroy(context, second)) {
      log.warn(Sentence(context.plan, second).text);
    }
    log.error(Sentence(context.plan, why).text);  // last: this line is what engines show
    return kFailed;
  }
  return launch.detach ? notify.attend(context, log) : attend(context, notify, log);
}

}  // namespace tsrunc::launcher
