#include "launcher/planned.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>

#include <cstdlib>

#include "engine/engine.h"
#include "launcher/describe.h"
#include "launcher/foreground.h"
#include "launcher/interruption.h"
#include "launcher/log.h"
#include "launcher/plan_memory.h"
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
[[nodiscard]] int attend(HostContext& context, Logger& log) {
  (void)::flock(context.state.fd(), LOCK_UN);
  const int status = wait_in_foreground(context, log);
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

[[nodiscard]] int run_container(HostContext& context, Logger& log) {
  const wire::Launch& launch = context.plan.launch;
  const bool run = launch.action == static_cast<uint32_t>(wire::Action::kRun);
  if (run && !launch.detach && launch.subreaper && ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    log.error(Sentence("become a sub-reaper", sys::fail("prctl")).text);
    return kFailed;
  }
  Interruption interruption(context);
  FailureRecord why;
  const bool created = engine::create(context, why);
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
  interruption.forward();
  if (!engine::start(context, why)) {
    FailureRecord second;
    if (!engine::destroy(context, second)) {
      log.warn(Sentence(context.plan, second).text);
    }
    log.error(Sentence(context.plan, why).text);  // last: this line is what engines show
    return kFailed;
  }
  return launch.detach ? 0 : attend(context, log);
}

}  // namespace

int run_planned(const char* descriptor) {
  char* end = nullptr;
  const long number = std::strtol(descriptor, &end, 10);
  PlanMemory memory;
  wire::Plan plan;
  {
    const sys::UniqueFd fd(*descriptor != 0 && *end == 0 && number > 2 ? static_cast<int>(number) : -1);
    if (const sys::Failure failure = memory.load(fd.get(), plan); failure) {
      Logger("").error(Sentence("take over the plan", failure).text);
      return kFailed;
    }
  }
  const bool run = plan.launch.action == static_cast<uint32_t>(wire::Action::kRun);
  Logger log(run ? "run" : "create");
  const Level level = plan.launch.debug ? Level::kDebug : Level::kWarning;
  if (const sys::Failure failure = log.open({plan.launch.log.data, plan.launch.log_json, level}); failure) {
    log.error(Sentence("open the log", failure).text);
    return kFailed;
  }
  engine::StateDir state;
  HostContext context(plan, state, log);
  return run_container(context, log);
}

}  // namespace tsrunc::launcher
