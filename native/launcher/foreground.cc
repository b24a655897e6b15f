#include "launcher/foreground.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/trace.h"
#include "launcher/describe.h"
#include "launcher/relay.h"
#include "launcher/terminal.h"
#include "launcher/trace_file.h"
#include "sys/kernel.h"

namespace tsrunc::launcher {
namespace {

using sys::UniqueFd;

constexpr int kFailed = 1;
constexpr int kSignalBase = 128;
// Somebody else has reaped it: the kernel was told so (SIGCHLD ignored), or another thread did.
constexpr char kLost[] = "it has ended, and its exit code is lost";
// A process that init left behind may keep the terminal open for ever: what comes later than this is not
// waited for.
constexpr int kQuietMilliseconds = 100;

class Foreground {
 public:
  Foreground(engine::HostContext& context, Logger& log, Notify* notify)
      : context_(context), log_(log), notify_(notify), relay_(take_console()) {}

  [[nodiscard]] int run() {
    if (!block_signals()) {
      log_.error(Sentence("wait for the container", sys::fail("signalfd")).text);
      return kFailed;
    }
    if (relay_.master() >= 0) {
      copy_size(relay_.master());
      terminal_.make_raw();
    }
    reap();  // what ended before the signals were blocked
    while (!ended_) {
      (void)turn(-1);
    }
    drain();
    return status_;
  }

 private:
  [[nodiscard]] UniqueFd take_console() noexcept { return std::move(context_.console); }

  [[nodiscard]] bool block_signals() noexcept {
    sigset_t all;
    sigfillset(&all);
    if (::sigprocmask(SIG_SETMASK, &all, nullptr) != 0) {
      return false;
    }
    signals_ = UniqueFd(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    return signals_.valid();
  }

  // Waits for something and deals with it. False if nothing came.
  [[nodiscard]] bool turn(int milliseconds) noexcept {
    pollfd fds[2 + Relay::kFds] = {{signals_.get(), POLLIN, 0}, {}, {}, {}, {}};
    pollfd copied[Relay::kFds];
    relay_.want(copied);
    for (size_t i = 0; i < Relay::kFds; ++i) {
      fds[1 + i] = copied[i];
    }
    fds[1 + Relay::kFds] = {notify_ == nullptr ? -1 : notify_->fd(), POLLIN, 0};
    if (::poll(fds, 2 + Relay::kFds, milliseconds) <= 0) {
      return false;
    }
    for (size_t i = 0; i < Relay::kFds; ++i) {
      copied[i] = fds[1 + i];
    }
    if (fds[1 + Relay::kFds].revents != 0) {
      take_notification();
    }
    if (fds[0].revents != 0) {
      take_signals();
    }
    return relay_.move(copied) || fds[0].revents != 0;
  }

  void take_notification() noexcept {
    if (notify_ == nullptr) {
      return;
    }
    if (const sys::Failure failure = notify_->take(); failure) {
      log_.warn(Sentence("NOTIFY_SOCKET", failure).text);
    }
  }

  void take_signals() noexcept {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      on_signal(static_cast<int>(info.ssi_signo));
    }
  }

  void on_signal(int signal) noexcept {
    switch (signal) {
      case SIGCHLD:
        reap();
        return;
      case SIGWINCH:
        copy_size(relay_.master());
        return;
      case SIGPIPE:  // of our own writing
      case SIGURG:   // runc does not forward it either
        return;
      case SIGCONT:
        terminal_.make_raw_again();
        copy_size(relay_.master());
        break;
      default:
        break;
    }
    if (ended_) {
      // Whoever reads the output does not go on: it is not waited for once more.
      interrupted_ = interrupted_ || (signal != SIGCONT && signal != SIGTSTP);
      return;
    }
    (void)sys::pidfd_send_signal_raw(context_.init_pidfd.get(), signal);
  }

  // Everything that has ended: as a sub-reaper (prctl(2) PR_SET_CHILD_SUBREAPER) tsrunc inherits orphans too.
  // pidfd_open(2): readable when the process ends, whoever reaps it.
  [[nodiscard]] bool has_ended() const noexcept {
    pollfd end{context_.init_pidfd.get(), POLLIN, 0};
    return context_.init_pidfd.valid() && ::poll(&end, 1, 0) > 0;
  }

  void reap() noexcept {
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid < 0 && errno == EINTR) {
        continue;
      }
      if (pid < 0 && errno == ECHILD && !ended_ && has_ended()) {
        log_.error(Sentence("wait for the container", sys::fail(ECHILD, "waitpid", nullptr, kLost)).text);
        ended_ = true;
      }
      if (pid <= 0) {
        return;
      }
      if (pid == context_.init.pid) {
        ended_ = true;
        status_ = WIFSIGNALED(status) ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status);
      }
    }
  }

  // What the container wrote last is still on its way through the terminal.
  void drain() noexcept {
    relay_.finish();
    while (relay_.open() && !interrupted_) {
      const bool waits_for_reader = relay_.pending();
      if (!turn(waits_for_reader ? -1 : kQuietMilliseconds) && !waits_for_reader) {
        return;
      }
    }
  }

  engine::HostContext& context_;
  Logger& log_;
  Notify* notify_;
  Relay relay_;
  Terminal terminal_;
  UniqueFd signals_;
  bool ended_ = false;
  bool interrupted_ = false;
  int status_ = kFailed;
};

}  // namespace

int wait_in_foreground(engine::HostContext& context, Logger& log, Notify* notify) {
  flush_trace();  // a program may run for days
  const engine::Span span("wait", "wait for the program to end");
  return Foreground(context, log, notify).run();
}

}  // namespace tsrunc::launcher
