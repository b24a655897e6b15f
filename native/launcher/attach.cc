// attach: the caller's streams become those of a process that a monitor holds.
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "launcher/describe.h"
#include "launcher/interruption.h"
#include "launcher/monitored.h"
#include "launcher/terminal.h"
#include "launcher/verbs.h"
#include "sys/small_file.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int kFailed = 1;
constexpr char kDetachFirst = 'p' & 0x1f;  // ctrl-p ctrl-q, as with Docker and Podman
constexpr char kDetachSecond = 'q' & 0x1f;

class Attachment {
 public:
  Attachment(const Arguments& arguments, Logger& log) noexcept : arguments_(arguments), log_(log) {}

  [[nodiscard]] int run() {
    if (!open_monitored(arguments_, log_, monitored_)) {
      return kFailed;
    }
    if (!monitored_.any()) {
      log_.error("the container has no monitor that could be attached to (create or run it with --monitor)");
      return kFailed;
    }
    Failure failure = begin();
    while (!failure && !over_) {
      failure = turn();
    }
    terminal_.restore();
    if (failure) {
      log_.error(failure.code == EPIPE
                     ? "the monitor has closed the connection: it ended, or this client did not read"
                     : Sentence("attach", failure).text);
      return kFailed;
    }
    if (signal_ != 0) {
      Interruption::end_by(signal_);
    }
    return status_;
  }

 private:
  [[nodiscard]] Failure begin() {
    Failure failure = call_.connect(monitored_.directory.get());
    if (failure && (failure.code == ENOENT || failure.code == ECONNREFUSED)) {
      return sys::fail(sys::kNoErrno, "connect", nullptr, "the process has ended, or its monitor was killed");
    }
    TSRUNC_TRY(failure);
    // By monitor's word all that is written from now on is seen.
    const char mask =
        static_cast<char>(kAttachOutput | kAttachError | (arguments_.no_stdin ? 0 : kAttachInput));
    TSRUNC_TRY(call_.send(kFrameAttach, &mask, 1));
    TSRUNC_TRY(call_.receive());
    has_terminal_ = call_.size() > 0 && call_.data()[0] == 1;
    reads_ = !arguments_.no_stdin;
    if (has_terminal_) {
      if (reads_ && ::isatty(STDIN_FILENO) == 1) {
        keys_ = true;
        terminal_.make_raw();
      }
      TSRUNC_TRY(send_size());
    }
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH, SIGCONT}) {
      sigaddset(&set, signal);
    }
    if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) {
      return sys::fail("sigprocmask");
    }
    signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    return signals_.valid() ? kOk : sys::fail("signalfd");
  }

  [[nodiscard]] Failure turn() {
    // There is room for what is read before it is read.
    pollfd fds[] = {{call_.fd(), static_cast<short>(POLLIN | (reads_ && !room_ ? POLLOUT : 0)), 0},
                    {signals_.get(), POLLIN, 0},
                    {reads_ && room_ ? STDIN_FILENO : -1, POLLIN, 0}};
    if (::poll(fds, 3, -1) < 0) {
      return errno == EINTR ? kOk : sys::fail("poll");
    }
    if (fds[1].revents != 0) {
      TSRUNC_TRY(take_signals());
    }
    room_ = room_ || (fds[0].revents & POLLOUT) != 0;
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      return take_frame();
    }
    return fds[2].revents != 0 ? take_input() : kOk;
  }

  [[nodiscard]] Failure take_frame() {
    TSRUNC_TRY(call_.receive());
    switch (call_.type()) {
      case kFrameOutput:
        return sys::write_all(STDOUT_FILENO, call_.data(), call_.size(), "stdout");
      case kFrameError:
        return sys::write_all(STDERR_FILENO, call_.data(), call_.size(), "stderr");
      case kFrameExit: {
        ExitRecord record;
        TSRUNC_TRY(parse_exit(call_.data(), call_.size(), record));
        status_ = record.status();
        over_ = true;
        return kOk;
      }
      default:
        return kOk;
    }
  }

  [[nodiscard]] Failure take_input() {
    char data[4096];
    ssize_t got = ::read(STDIN_FILENO, data + 1, sizeof data - 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
      return kOk;
    }
    room_ = false;
    if (got <= 0) {
      reads_ = false;
      const char tell = 1;
      return call_.send(kFrameClose, &tell, 1);
    }
    const char* from = data + 1;
    if (keys_) {
      from = watch_keys(data, got);
    }
    return got > 0 ? call_.send(kFrameInput, from, static_cast<size_t>(got)) : kOk;
  }

  // `data` has `got` bytes behind its first one, which is room for a ctrl-p that was held back: whether it is
  // one of the detach keys is known by the next key.
  [[nodiscard]] const char* watch_keys(char* data, ssize_t& got) noexcept {
    char* from = data + 1;
    if (held_) {
      *data = kDetachFirst;
      from = data;
      ++got;
    }
    held_ = false;
    for (ssize_t i = 0; i < got; ++i) {
      if (from[i] != kDetachFirst) {
        continue;
      }
      if (i + 1 == got) {
        held_ = true;
        --got;
      } else if (from[i + 1] == kDetachSecond) {
        over_ = true;
        got = i;
      }
    }
    return from;
  }

  [[nodiscard]] Failure take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      const auto signal = static_cast<int>(info.ssi_signo);
      if (signal == SIGCONT) {
        terminal_.make_raw_again();
      }
      if (signal != SIGWINCH && signal != SIGCONT) {
        signal_ = signal;
        over_ = true;
      } else if (has_terminal_) {
        TSRUNC_TRY(send_size());
      }
    }
    return kOk;
  }

  [[nodiscard]] Failure send_size() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      winsize size{};
      if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 && size.ws_col != 0) {
        const char data[] = {static_cast<char>(size.ws_row & 0xff), static_cast<char>(size.ws_row >> 8),
                             static_cast<char>(size.ws_col & 0xff), static_cast<char>(size.ws_col >> 8)};
        return call_.send(kFrameResize, data, sizeof data);
      }
    }
    return kOk;
  }

  const Arguments& arguments_;
  Logger& log_;
  Monitored monitored_;
  MonitorCall call_;
  Terminal terminal_;
  sys::UniqueFd signals_;
  bool has_terminal_ = false;
  bool reads_ = false;
  bool room_ = false;
  bool keys_ = false;
  bool held_ = false;  // ctrl-p
  bool over_ = false;
  int signal_ = 0;
  int status_ = 0;
};

}  // namespace

int run_attach(const Arguments& arguments, Logger& log) {
  static Attachment attachment(arguments, log);
  return attachment.run();
}

}  // namespace tsrunc::launcher
