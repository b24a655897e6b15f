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

[[nodiscard]] bool may_be_deleted(Container& container, bool force) {
  const auto ended = [&] {
    // The lock is ours: what has no state by now was left by a create that was killed.
    return container.status != Status::kRunning && container.status != Status::kPaused;
  };
  if (force || ended()) {
    return true;
  }
  if (const auto pidfd = engine::open_process(container.saved.init); pidfd.ok()) {
    (void)engine::wait_for_exit(*pidfd, kDyingMilliseconds);
  }
  container.refresh();
  return ended();
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
  sys::Failure failure = container.open(arguments.root, id, log);
  if (!failure) {
    failure = container.check_owner();
  }
  if (!failure) {
    failure = container.state.lock(kLockMilliseconds);
  }
  if (failure) {
    return failure.code == ENOENT && arguments.force ? 0 : report_missing(log, id, failure);
  }
  container.refresh();
  if (!may_be_deleted(container, arguments.force)) {
    return refuse(log, id, container.status);
  }
  engine::HostContext context(container.plan, container.state, log);
  engine::FailureRecord why;
  if (!engine::destroy(context, why)) {
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
