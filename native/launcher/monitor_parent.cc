#include "launcher/monitor_parent.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "launcher/interruption.h"
#include "sys/kernel.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr int kFailed = 1;
constexpr int kForwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

// A handler reaches nothing else.
volatile sig_atomic_t forward_to = -1;

void on_signal(int signal) {
  const int saved = errno;
  (void)sys::pidfd_send_signal_raw(forward_to, signal);
  errno = saved;
}

// What the caller ignores stays ignored, here and in the child.
void set_forwarding(void (*handler)(int)) noexcept {
  for (const int signal : kForwarded) {
    struct sigaction old {};
    struct sigaction action {};
    action.sa_handler = handler;
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN) {
      (void)::sigaction(signal, &action, nullptr);
    }
  }
}

[[nodiscard]] int end_as(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) {
    return info.si_status;
  }
  Interruption::end_by(info.si_status);
}

// All of these signals wait meanwhile.
class Blocked {
 public:
  Blocked() noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : kForwarded) {
      sigaddset(&set, signal);
    }
    (void)::sigprocmask(SIG_BLOCK, &set, &before_);
  }
  ~Blocked() { (void)::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;

 private:
  sigset_t before_{};
};

// The child dies with this process as long as it has not committed itself.
[[nodiscard]] Failure bind_to_parent(pid_t parent) noexcept {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return sys::fail("prctl");
  }
  if (::getppid() != parent) {
    ::_exit(kFailed);
  }
  return ::setsid() >= 0 ? kOk : sys::fail("setsid");
}

}  // namespace

Failure MonitorParent::fork(UniqueFd& report, int cgroup) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return sys::fail("pipe2");
  }
  reader_.reset(ends[0]);
  UniqueFd writer(ends[1]);
  const Blocked blocked;
  const pid_t parent = ::getpid();
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  long child = -1;
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup);
    child = sys::clone3(args);
    args.flags &= ~static_cast<uint64_t>(CLONE_INTO_CGROUP);
    args.cgroup = 0;
  }
  if (child < 0) {
    child = sys::clone3(args);
  }
  if (child < 0) {
    return sys::fail("clone3");
  }
  child_ = static_cast<pid_t>(child);
  if (child == 0) {
    reader_.reset();
    report = std::move(writer);
    return bind_to_parent(parent);
  }
  forward_to = pidfd;
  set_forwarding(on_signal);
  return kOk;
}

int MonitorParent::wait() {
  unsigned char code = kFailed;
  size_t told = 0;
  for (;;) {
    const ssize_t got = ::read(reader_.get(), &code, 1);
    if (got == 0 || (got < 0 && errno != EINTR)) {
      break;
    }
    told += got > 0 ? 1 : 0;
  }
  if (told == 1) {
    return code;
  }
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED) != 0) {
    if (errno != EINTR) {
      return kFailed;
    }
  }
  return end_as(info);
}

}  // namespace tsrunc::launcher
