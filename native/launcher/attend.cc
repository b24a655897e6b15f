#include "launcher/attend.h"

#include <sys/file.h>

#include "engine/engine.h"
#include "launcher/describe.h"
#include "launcher/foreground.h"
#include "launcher/interruption.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

constexpr int kFailed = 1;
constexpr int kLockMilliseconds = 10000;

}  // namespace

bool take_away(engine::HostContext& context, Logger& log) {
  engine::FailureRecord why;
  if (engine::destroy(context, why)) {
    return true;
  }
  log.error(Sentence(context.plan, why).text);
  return false;
}

void end_interrupted(Logger& log, int signal) {
  char buffer[64];
  log.error(sys::Text(buffer).add("interrupted by signal ").add(static_cast<uint64_t>(signal)).c_str());
  Interruption::end_by(signal);
}

int attend(engine::HostContext& context, Notify* notify, Logger& log) {
  (void)::flock(context.state.fd(), LOCK_UN);
  const int status = wait_in_foreground(context, log, notify);
  if (context.plan.launch.keep) {
    return status;
  }
  sys::Failure failure = context.state.lock(kLockMilliseconds);
  if (failure && failure.code != ENOENT && failure.code != EBUSY) {
    // What failed for a moment is not to leave a container behind that nobody else deletes.
    failure = context.state.lock(kLockMilliseconds);
  }
  if (failure) {
    if (failure.code == ENOENT) {
      return status;  // somebody has deleted it already
    }
    log.error(Sentence("delete the container", failure).text);
    return status != 0 ? status : kFailed;
  }
  return take_away(context, log) || status != 0 ? status : kFailed;
}

}  // namespace tsrunc::launcher
