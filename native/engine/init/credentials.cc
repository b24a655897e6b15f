// config.md "User" and "capabilities".
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "engine/init/capabilities.h"
#include "engine/init/init_context.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;

// Any bit; prctl(PR_CAPBSET_DROP) answers EINVAL behind the kernel's last one.
constexpr unsigned kBits = 64;

void warn_missing(InitContext& context, uint64_t missing) noexcept {
  char buffer[512];
  sys::Text text(buffer);
  text.add("process/capabilities: not granted, because tsrunc does not have them: capability numbers");
  for (unsigned bit = 0; bit < kBits; ++bit) {
    if ((missing & (uint64_t{1} << bit)) != 0) {
      text.add(" ").add(uint64_t{bit});
    }
  }
  warn(context, buffer);
}

}  // namespace

Failure run(InitContext& /*context*/, const wire::SetUser& op) noexcept {
  // Capabilities survive the change of the uid; setCapabilities decides what is left of them.
  // capabilities(7).
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) {
    return fail("prctl");
  }
  if (op.setgroups && sys::setgroups_raw(op.groups.count, op.groups.items) < 0) {
    return fail("setgroups");
  }
  if (sys::setresgid_raw(op.gid) < 0) {
    return fail("setresgid");
  }
  if (sys::setresuid_raw(op.uid) < 0) {
    return fail("setresuid");
  }
  if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0) {
    return fail("prctl");
  }
  // A change of credentials clears the parent death signal (prctl(2)); init is not committed yet.
  return ::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? fail("prctl") : kOk;
}

Failure run(InitContext& /*context*/, const wire::SetBoundingSet& op) noexcept {
  for (unsigned bit = 0; bit < kBits; ++bit) {
    if ((op.keep & (uint64_t{1} << bit)) == 0 && ::prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) < 0) {
      return errno == EINVAL ? kOk : fail("prctl");
    }
  }
  return kOk;
}

Failure run(InitContext& context, const wire::SetCapabilities& op) noexcept {
  uint64_t missing = 0;
  TSRUNC_TRY(set_capabilities({op.effective, op.permitted, op.inheritable, op.ambient}, missing));
  if (missing != 0) {
    warn_missing(context, missing);
  }
  return kOk;
}

Failure run(InitContext& context, const wire::SetNoNewPrivileges& /*op*/) noexcept {
  context.no_new_privs = true;
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? fail("prctl") : kOk;
}

Failure run(InitContext& context, const wire::OwnStdio& op) noexcept {
  for (int fd = 0; fd <= 2; ++fd) {
    struct stat status {};
    if (::fstat(fd, &status) < 0) {
      if (errno == EBADF) {
        continue;
      }
      return fail("fstat");
    }
    // Only what belongs to this container alone: not the host's /dev/null, a file or the caller's terminal.
    const bool mine = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || context.own_console;
    if (!mine || (status.st_uid == op.uid && status.st_gid == op.gid)) {
      continue;
    }
    const gid_t gid = context.own_console ? static_cast<gid_t>(-1) : op.gid;
    if (::fchown(fd, op.uid, gid) < 0 && errno != EPERM && errno != EINVAL && errno != EROFS) {
      // EPERM, EINVAL: a descriptor of another user namespace; it still can be used as it is.
      return fail("fchown");
    }
  }
  return kOk;
}

}  // namespace tsrunc::engine
