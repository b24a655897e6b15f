#include "engine/engine.h"
#include "engine/init_process.h"
#include "launcher/container.h"
#include "launcher/container_names.h"
#include "launcher/describe.h"
#include "launcher/verbs.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using engine::Status;

constexpr int kLockMilliseconds = 10000;
// A process that was sent SIGKILL a moment ago is as good as stopped: `kill ID KILL` and `delete ID` may
// follow each other without a pause.
constexpr int kDyingMilliseconds = 100;

// Looks whether the container has ended, and waits a moment for that. The lock is ours: what has no state by
// now was left by a create that was killed.
[[nodiscard]] sys::Failure await_end(Container& container, bool& ended) {
  const auto look = [&] {
    ended = container.status != Status::kRunning && container.status != Status::kPaused;
    return ended;
  };
  if (look()) {
    return sys::kOk;
  }
  if (const auto pidfd = engine::open_process(container.saved.init); pidfd.ok()) {
    (void)engine::wait_for_exit(*pidfd, kDyingMilliseconds);
  }
  TSRUNC_TRY(container.refresh());
  (void)look();
  return sys::kOk;
}

// Finds the container and locks it. `deletable`: whether it may be taken away.
[[nodiscard]] sys::Failure take(const Arguments& arguments, const char* id, Logger& log, Container& container,
                                bool& deletable) {
  // Without --force nobody's container is ended because it cannot be seen whether it runs.
  TSRUNC_TRY(container.open(arguments.root, id, log, arguments.force ? Damage::kTold : Damage::kRefused));
  TSRUNC_TRY(container.check_owner());
  TSRUNC_TRY(container.state.lock(kLockMilliseconds));
  deletable = arguments.force;
  if (deletable) {
    return sys::kOk;
  }
  TSRUNC_TRY(container.refresh());
  return await_end(container, deletable);
}

[[nodiscard]] int refuse(Logger& log, const char* id, Status status) {
  char buffer[1024];
  sys::Text text(buffer);
  text.add("cannot delete container \"").add(id).add("\": container is not stopped: ");
  log.error(text.add(engine::status_name(status)).add(" (--force kills it first)").c_str());
  return 1;
}

[[nodiscard]] int delete_one(const Arguments& arguments, const char* id, Logger& log) {
  Container container;
  bool deletable = false;
  if (const sys::Failure failure = take(arguments, id, log, container, deletable); failure) {
    return failure.code == ENOENT && arguments.force ? 0 : report_missing(log, id, failure);
  }
  if (!deletable) {
    return refuse(log, id, container.status);
  }
  engine::HostContext context(container.plan, container.state, log);
  context.refuses_damage = !arguments.force;
  engine::FailureRecord why;
  if (!engine::destroy(context, why)) {
    if (why.code == EBADMSG) {
      return report_missing(log, id, sys::fail(why.code, why.call, why.path, why.detail));
    }
    log.error(Sentence(container.plan, why).text);
    return 1;
  }
  return 0;
}

}  // namespace

int run_delete(const Arguments& arguments, Logger& log) {
  return arguments.regex ? for_matching(arguments, log, delete_one)
                         : delete_one(arguments, arguments.positionals[0], log);
}

}  // namespace tsrunc::launcher
