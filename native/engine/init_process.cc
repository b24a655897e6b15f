#include "engine/init_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/text.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

[[nodiscard]] Failure still_there(const ProcessId& process, char* detail, size_t size) noexcept {
  char letter = '?';
  (void)start_time(process.pid, &letter);
  sys::Text text(detail, size);
  text.add("process ")
      .add(static_cast<uint64_t>(process.pid))
      .add(" does not end after SIGKILL, its state is ");
  text.add(&letter, 1);
  text.add(letter == 'D' ? " (it waits for a device or a network file system)" : "");
  return sys::fail(ETIMEDOUT, "pidfd_send_signal", nullptr, detail);
}

}  // namespace

sys::Result<sys::UniqueFd> open_process(const ProcessId& process) noexcept {
  if (process.pid <= 0) {
    return sys::fail(ESRCH, "pidfd_open", nullptr, nullptr);
  }
  sys::UniqueFd pidfd(sys::pidfd_open_raw(process.pid, 0));
  if (!pidfd.valid()) {
    return sys::fail("pidfd_open");
  }
  // In this order: if the start time is right now, the descriptor, opened earlier, cannot be of a later
  // process.
  const auto started = start_time(process.pid);
  if (!started.ok()) {
    return started.failure();
  }
  if (*started != process.start_time) {
    return sys::fail(ESRCH, "pidfd_open", nullptr, nullptr);
  }
  return pidfd;
}

bool wait_for_exit(const sys::UniqueFd& pidfd, int milliseconds) noexcept {
  const sys::Deadline deadline(milliseconds);
  for (;;) {
    // pidfd_open(2): readable once the process has ended, for everybody and whether it is reaped or not.
    pollfd wanted{pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&wanted, 1, deadline.left());
    if (ready > 0) {
      return true;
    }
    if (ready == 0 || errno != EINTR) {
      return false;
    }
  }
}

Failure end_process(const ProcessId& process, const sys::UniqueFd& pidfd, int milliseconds, char* detail,
                    size_t detail_size) noexcept {
  if (sys::pidfd_send_signal_raw(pidfd.get(), SIGKILL) != 0 && errno != ESRCH) {
    // One that has ended needs none, whatever keeps us from sending it.
    const Failure failure = sys::fail("pidfd_send_signal");
    if (!wait_for_exit(pidfd, 0)) {
      return failure;
    }
  }
  if (!wait_for_exit(pidfd, milliseconds)) {
    return still_there(process, detail, detail_size);
  }
  siginfo_t info{};
  // ECHILD: somebody else's child, whose business the status is.
  (void)::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG);
  return kOk;
}

}  // namespace tsrunc::engine
