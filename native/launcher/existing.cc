#include "launcher/existing.h"

#include <sys/stat.h>
#include <unistd.h>

#include "engine/init_process.h"
#include "launcher/container.h"
#include "launcher/describe.h"

namespace tsrunc::launcher {
namespace {

[[nodiscard]] sys::Failure open_directory(engine::HostContext& context) {
  TSRUNC_TRY(context.state.open(context.plan.header.state_dir.data));
  struct stat about {};
  if (::fstat(context.state.fd(), &about) != 0) {
    return sys::fail("fstat", context.state.path());
  }
  return about.st_uid == ::geteuid()
             ? sys::kOk
             : sys::fail(EPERM, "open", context.state.path(),
                         "operation not permitted: the container belongs to another user");
}

}  // namespace

bool open_existing(PlannedCall& call, Existing& out) {
  engine::HostContext& context = call.context;
  if (const sys::Failure failure = open_directory(context); failure) {
    (void)report_missing(call.log, context.plan.header.id.data, failure);
    return false;
  }
  if (const sys::Failure failure = engine::derive_status(context.state, &context.plan, out.saved, out.status);
      failure) {
    (void)report_missing(call.log, context.plan.header.id.data, failure);
    return false;
  }
  if (out.status == engine::Status::kStopped || out.status == engine::Status::kCreating) {
    return true;
  }
  auto pidfd = engine::open_process(out.saved.init);
  if (pidfd.ok()) {
    out.pidfd = std::move(*pidfd);
  } else if (pidfd.failure().code == ESRCH) {
    out.status = engine::Status::kStopped;
  } else {
    (void)report_missing(call.log, context.plan.header.id.data, pidfd.failure());
    return false;
  }
  return true;
}

}  // namespace tsrunc::launcher
