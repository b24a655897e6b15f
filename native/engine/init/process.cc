// The process's own settings: mask, directory, limits, and waiting for start.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "engine/init/init_context.h"
#include "engine/sync.h"
#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;

}  // namespace

Failure run(InitContext& context, const wire::SetUmask& op) noexcept {
  context.callers_umask = static_cast<mode_t>(op.value);
  (void)::umask(context.callers_umask);
  return kOk;
}

Failure run(InitContext& context, const wire::ChangeDirectory& op) noexcept {
  // The second try, as the container's user, is for a directory that root could not enter; one which only
  // root may enter stays the working directory.
  if (context.in_directory) {
    return kOk;
  }
  if (::chdir(op.path.data) < 0) {
    return op.retry && (errno == EACCES || errno == EPERM) ? kOk : fail("chdir", op.path.data);
  }
  // The raw call: glibc's getcwd(3) would hide what the kernel says of a directory outside of the root,
  // "(unreachable)/…" (getcwd(2)). A cwd like /proc/self/fd/7 could reach the host through a descriptor
  // (CVE-2024-21626).
  char current[PATH_MAX];
  const long length = ::syscall(SYS_getcwd, current, sizeof current);
  if (length < 0) {
    return fail("getcwd", op.path.data);
  }
  if (current[0] != '/') {
    [[maybe_unused]] const int left = ::chdir("/");
    return fail(EPERM, "chdir", op.path.data,
                "operation not permitted: the directory is outside of the root");
  }
  context.in_directory = true;
  return kOk;
}

Failure run(InitContext& /*context*/, const wire::SetRlimit& op) noexcept {
  const rlimit limit{op.soft, op.hard};
  if (::setrlimit(static_cast<__rlimit_resource_t>(op.resource), &limit) < 0) {
    return fail(errno, "setrlimit", nullptr,
                errno == EPERM
                    ? "operation not permitted: tsrunc may not raise its own hard limit (CAP_SYS_RESOURCE)"
                    : nullptr);
  }
  return kOk;
}

Failure run(InitContext& context, const wire::AwaitStart& /*op*/) noexcept {
  context.sync.reset();
  // Read, not poll: under RLIMIT_NOFILE of 0 poll(2) refuses even one descriptor.
  char byte = 0;
  for (;;) {
    const ssize_t got = ::read(context.exec_fifo.get(), &byte, 1);
    if (got == 1) {
      return kOk;
    }
    // exec: a pipe, and tsrunc is gone.
    if (got == 0) {
      ::_exit(1);
    }
    if (got < 0 && errno != EINTR) {
      return fail("read", "exec.fifo");
    }
  }
}

}  // namespace tsrunc::engine
