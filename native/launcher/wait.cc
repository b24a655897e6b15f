// wait: how a container has ended, for those who are not its parent.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/init_process.h"
#include "launcher/describe.h"
#include "launcher/monitored.h"
#include "launcher/verbs.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int kFailed = 1;
// A process that has ended is reaped by its parent, which may be busy.
constexpr int kReapMilliseconds = 5000;

// include/uapi/linux/pidfd.h, Linux 6.15: what is left to be told of a process that was reaped.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t ids[11];
  int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr uint64_t kInfoExit = 1U << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

enum class Outcome : uint8_t { kKnown, kUnknown, kAgain };

[[nodiscard]] int print(const Arguments& arguments, const ExitRecord& record, const char* line) {
  char number[24];
  sys::Text text(number);
  text.add(static_cast<uint64_t>(record.status())).add("\n");
  const char* out = arguments.json ? line : number;
  return sys::write_all(STDOUT_FILENO, out, std::strlen(out), nullptr) ? kFailed : 0;
}

void wait_for_end(const sys::UniqueFd& pidfd) noexcept {
  pollfd ended{pidfd.get(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
}

// Waits for the process's end and for its parent. True: the kernel remembers the status.
[[nodiscard]] bool ask_kernel(const sys::UniqueFd& pidfd, ExitRecord& out) {
  wait_for_end(pidfd);
  pollfd reaped{pidfd.get(), 0, 0};  // POLLHUP: it was reaped
  (void)::poll(&reaped, 1, kReapMilliseconds);
  PidfdInfo info{};
  info.mask = kInfoExit;
  if (::ioctl(pidfd.get(), kGetInfo, &info) != 0 || (info.mask & kInfoExit) == 0) {
    return false;
  }
  out.code = WIFEXITED(info.exit_code) ? WEXITSTATUS(info.exit_code) : -1;
  out.signal = WIFSIGNALED(info.exit_code) ? WTERMSIG(info.exit_code) : 0;
  return true;
}

class Waiter {
 public:
  Waiter(const Arguments& arguments, Logger& log) noexcept : arguments_(arguments), log_(log) {}

  [[nodiscard]] int run() {
    if (!open_monitored(arguments_, log_, monitored_)) {
      return kFailed;
    }
    process_ = monitored_.any() ? monitored_.pids.process : monitored_.container.saved.init;
    Outcome outcome = Outcome::kAgain;
    while (monitored_.any() && outcome == Outcome::kAgain) {
      if (const Failure failure = look(outcome); failure) {
        log_.error(Sentence("ask the monitor", failure).text);
        return kFailed;
      }
    }
    return outcome == Outcome::kKnown ? print(arguments_, record_, line_) : without_monitor();
  }

 private:
  [[nodiscard]] Failure look(Outcome& out) {
    // In this order: who has recorded the end may be gone.
    const auto monitor = engine::open_process(monitored_.pids.monitor);
    const Failure failure = load_exit(monitored_.directory.get(), record_, line_);
    out = failure ? Outcome::kUnknown : Outcome::kKnown;
    if (!failure || failure.code != ENOENT) {
      return failure;
    }
    if (!monitor.ok()) {
      return monitor.failure().code == ESRCH ? kOk : monitor.failure();
    }
    return ask(out);
  }

  [[nodiscard]] Failure ask(Outcome& out) {
    out = Outcome::kAgain;
    Failure failure = call_.connect(monitored_.directory.get());
    if (failure && (failure.code == ENOENT || failure.code == ECONNREFUSED)) {
      return gone();
    }
    TSRUNC_TRY(failure);
    failure = call_.send(kFrameWait, "", 0);
    if (!failure) {
      failure = call_.receive();
    }
    if (failure && (failure.code == EPIPE || failure.code == sys::kNoErrno)) {
      return gone();
    }
    TSRUNC_TRY(failure);
    TSRUNC_TRY(parse_exit(call_.data(), call_.size(), record_));
    sys::Text(line_).add(call_.data(), call_.size());
    out = Outcome::kKnown;
    return kOk;
  }

  // It does not serve us: it ends, or has too many clients.
  [[nodiscard]] Failure gone() {
    const auto monitor = engine::open_process(monitored_.pids.monitor);
    if (!monitor.ok()) {
      return monitor.failure().code == ESRCH ? kOk : monitor.failure();
    }
    wait_for_end(*monitor);
    return kOk;
  }

  [[nodiscard]] int without_monitor() {
    const auto pidfd = engine::open_process(process_);
    if (!pidfd.ok() && pidfd.failure().code != ESRCH) {
      log_.error(Sentence("wait for the end", pidfd.failure()).text);
      return kFailed;
    }
    const bool told = pidfd.ok() && ask_kernel(*pidfd, record_);
    if (!told) {
      log_.error(monitored_.any()
                     ? "the container has ended, but its exit code is not known: its monitor was killed"
                     : "the container has ended, but its exit code is not known: it had no monitor "
                       "(create or run it with --monitor)");
      return kFailed;
    }
    record_.pid = process_.pid;
    (void)write_exit_line(record_, line_);
    return print(arguments_, record_, line_);
  }

  const Arguments& arguments_;
  Logger& log_;
  Monitored monitored_;
  MonitorCall call_;
  engine::ProcessId process_;
  ExitRecord record_;
  char line_[kLongestExitLine] = {};
};

}  // namespace

int run_wait(const Arguments& arguments, Logger& log) {
  static Waiter waiter(arguments, log);
  return waiter.run();
}

}  // namespace tsrunc::launcher
