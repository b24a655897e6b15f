#include <cstdlib>

#include "engine/engine.h"
#include "engine/init_process.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/notify.h"
#include "launcher/verbs.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using engine::Status;

constexpr int kLockMilliseconds = 10000;

// Why a container that is not `created` cannot be started, in runc's words.
[[nodiscard]] const char* refusal(const Container& container) noexcept {
  switch (container.status) {
    case Status::kCreated:
      return container.plan.header.has_process ? nullptr
                                               : "cannot start a container whose config.json has no process";
    case Status::kStopped:
      return "cannot start a container that has stopped";
    case Status::kRunning:
      return "cannot start an already running container";
    case Status::kCreating:
      return "cannot start a container in the creating state";
    case Status::kPaused:
      return "cannot start a container in the paused state";
  }
  return "cannot start a container in an unknown state";
}

}  // namespace

int run_start(const Arguments& arguments, Logger& log) {
  const char* id = arguments.positionals[0];
  Container container;
  sys::Failure failure = container.open(arguments.root, id, log);
  if (!failure) {
    failure = container.check_owner();
  }
  if (!failure) {
    failure = container.state.lock(kLockMilliseconds);
  }
  if (!failure) {
    failure = container.refresh();
  }
  if (failure) {
    return report_missing(log, id, failure);
  }
  if (const char* reason = refusal(container); reason != nullptr) {
    log.error(reason);
    return 1;
  }
  engine::HostContext context(container.plan, container.state, log);
  auto pidfd = engine::open_process(container.saved.init);
  if (!pidfd.ok()) {
    log.error(pidfd.failure().code == ESRCH ? "cannot start a container that has stopped"
                                            : Sentence("find init", pidfd.failure()).text);
    return 1;
  }
  context.init = container.saved.init;
  context.init_pidfd = std::move(*pidfd);
  Notify notify;
  if (failure = notify.open(container.state, std::getenv("NOTIFY_SOCKET")); failure) {
    log.error(Sentence("NOTIFY_SOCKET", failure).text);
    return 1;
  }
  engine::FailureRecord why;
  if (engine::start(context, why)) {
    return notify.attend(context, log);
  }
  // runtime.md "Lifecycle" 7 to 9: a failure there stops the container, and the lifecycle goes on with its
  // destruction.
  engine::FailureRecord second;
  if (!engine::destroy(context, second)) {
    log.warn(Sentence(container.plan, second).text);
  }
  // The last line is the one that engines show.
  log.error(Sentence(container.plan, why).text);
  return 1;
}

}  // namespace tsrunc::launcher
