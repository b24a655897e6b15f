// config-linux.md "Seccomp": loading the filter.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <csignal>

#include "engine/init/courier.h"
#include "engine/init/init_context.h"
#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;

// seccomp(2): a negative result is none, errno tells.
Failure load(const wire::Bytes& program, uint64_t flags, long& result) noexcept {
  if (program.size == 0 || program.size % sizeof(sock_filter) != 0 ||
      program.size / sizeof(sock_filter) > USHRT_MAX) {
    return fail(EINVAL, "seccomp", nullptr, "the filter program has an impossible length");
  }
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.size / sizeof(sock_filter));
  // The plan's bytes are aligned to nothing; the kernel copies them from any address.
  filter.filter = reinterpret_cast<sock_filter*>(const_cast<uint8_t*>(program.data));
  result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  return kOk;
}

// seccomp(2), seccomp_unotify(2). A program that libseccomp made is never the reason for EINVAL.
const char* explain(int code, uint64_t flags) noexcept {
  const bool listens = (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  switch (code) {
    case EBUSY:
      return listens
                 ? "device or resource busy: a filter that tsrunc runs under has a listener already, and the "
                   "kernel allows only one"
                 : nullptr;
    case EMFILE:
      return listens ? "too many open files: RLIMIT_NOFILE leaves no room for the listener" : nullptr;
    case EINVAL:
      return "invalid argument: the kernel refuses the program, or does not know one of the flags";
    default:
      return nullptr;
  }
}

}  // namespace

Failure run(InitContext& /*context*/, const wire::SetSeccomp& op) noexcept {
  long result = 0;
  TSRUNC_TRY(load(op.program, op.flags, result));
  return result < 0 ? fail(errno, "seccomp", nullptr, explain(errno, op.flags)) : kOk;
}

Failure run(InitContext& context, const wire::SetSeccompWithListener& op) noexcept {
  // What would be done between here and execve(2) otherwise, while nobody can forbid it.
  (void)::umask(context.callers_umask);
  TSRUNC_TRY(sys::close_range(3 + context.plan.header.preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC));
  // The courier sees to it that init ends with tsrunc.
  if (::prctl(PR_SET_PDEATHSIG, 0) < 0) {
    return fail("prctl");
  }
  TSRUNC_TRY(start_courier(context));
  const uint64_t flags = op.flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  long result = -1;
  Failure failure = load(op.program, flags, result);
  if (!failure && result < 0) {
    failure = fail(errno, "seccomp", nullptr, explain(errno, flags));
  }
  if (failure) {
    dismiss_courier(context);
    return failure;
  }
  courier_loaded(context, static_cast<int>(result));
  return kOk;
}

}  // namespace tsrunc::engine
