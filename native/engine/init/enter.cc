// Entering a container that exists, as one more of its processes.
//
// What enters is the process that cloneExec made. It stays outside of the container's pid namespace, where no
// process of the container can name it, until all that it had of tsrunc is given up: capabilities, identity,
// directories, descriptors. Only then it goes on as a child that is inside (CVE-2016-9962 and what a process
// with CAP_SYS_PTRACE could take from one that still has more than itself).
//
// The child gets a copy of the memory. To share it (CLONE_VM) would save a millisecond of thirteen on a slow
// machine, and let who traces the child write into the code that its parent runs, which is in the host's pid
// namespace.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "engine/init/init_context.h"
#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// setns(2): EINVAL for the user namespace that the caller is in already.
[[nodiscard]] bool is_own_user_namespace(pid_t pid) noexcept {
  char path[48];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(pid)).add("/ns/user");
  struct stat own {};
  struct stat other {};
  return ::stat("/proc/self/ns/user", &own) == 0 && ::stat(path, &other) == 0 && own.st_dev == other.st_dev &&
         own.st_ino == other.st_ino;
}

// Both are lost by a change of credentials (prctl(2)).
[[nodiscard]] Failure stay_private() noexcept {
  return ::prctl(PR_SET_DUMPABLE, 0) < 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? fail("prctl") : kOk;
}

}  // namespace

Failure run(InitContext& context, const wire::EnterNamespaces& op) noexcept {
  uint64_t flags = op.flags;
  if ((flags & CLONE_NEWUSER) != 0 && is_own_user_namespace(context.container_pid)) {
    flags &= ~uint64_t{CLONE_NEWUSER};
  }
  const UniqueFd container(context.container);
  context.container = -1;
  if (flags != 0 && ::setns(container.get(), static_cast<int>(flags)) < 0) {
    return fail(errno, "setns", nullptr, errno == ESRCH ? "the container has ended meanwhile" : nullptr);
  }
  return stay_private();
}

Failure run(InitContext& context, const wire::BecomeMember& /*op*/) noexcept {
  TSRUNC_TRY(stay_private());
  clone_args args{};
  int pidfd = -1;
  args.flags = CLONE_PARENT | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  const long pid = sys::clone3(args);
  if (pid == 0) {
    trace.member = true;
    return ::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? fail("prctl") : kOk;
  }
  if (pid < 0) {
    // pid_namespaces(7): ENOMEM where the namespace's init has ended.
    return fail(errno, "clone3", nullptr,
                errno == ENOMEM   ? "the container has ended meanwhile"
                : errno == EAGAIN ? "resource temporarily unavailable: does the pids limit of the container "
                                    "allow two more processes?"
                                  : nullptr);
  }
  (void)send_member(context.sync.get(), static_cast<pid_t>(pid), pidfd);
  ::_exit(0);
}

}  // namespace tsrunc::engine
