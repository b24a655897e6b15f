#include "launcher/interruption.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "launcher/trace_file.h"
#include "sys/kernel.h"

namespace tsrunc::launcher {
namespace {

constexpr int kWatched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
constexpr size_t kCount = sizeof kWatched / sizeof kWatched[0];

// A handler reaches nothing else.
const engine::HostContext* watched_context = nullptr;
volatile sig_atomic_t came = 0;
volatile sig_atomic_t forwarding = 0;
bool installed[kCount] = {};

void on_signal(int signal) {
  const int saved = errno;
  if (forwarding == 0) {
    came = signal;
  }
  if (watched_context->init_pidfd.valid()) {
    (void)sys::pidfd_send_signal_raw(watched_context->init_pidfd.get(), forwarding != 0 ? signal : SIGKILL);
  }
  errno = saved;
}

}  // namespace

Interruption::Interruption(const engine::HostContext& context) noexcept {
  watched_context = &context;
  came = 0;
  forwarding = 0;
  for (size_t i = 0; i < kCount; ++i) {
    struct sigaction old {};
    struct sigaction action {};
    action.sa_handler = on_signal;
    installed[i] = ::sigaction(kWatched[i], nullptr, &old) == 0 && old.sa_handler == SIG_DFL &&
                   ::sigaction(kWatched[i], &action, nullptr) == 0;
  }
}

Interruption::~Interruption() {
  for (size_t i = 0; i < kCount; ++i) {
    if (installed[i]) {
      struct sigaction action {};
      action.sa_handler = SIG_DFL;
      (void)::sigaction(kWatched[i], &action, nullptr);
    }
  }
}

void Interruption::hold_others() noexcept {
  sigset_t set;
  sigfillset(&set);
  for (const int signal : kWatched) {
    sigdelset(&set, signal);
  }
  (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void Interruption::forward() noexcept {
  forwarding = 1;
}

bool Interruption::forward_unless_came(bool hold) noexcept {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : kWatched) {
    sigaddset(&watched, signal);
  }
  sigset_t before;
  if (::sigprocmask(SIG_BLOCK, &watched, &before) != 0) {
    return false;
  }
  const bool goes_on = came == 0;
  if (goes_on) {
    forward();
  }
  (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (goes_on && hold) {
    hold_others();
  }
  return goes_on;
}

int Interruption::signal() const noexcept {
  return came;
}

void Interruption::end_by(int signal) noexcept {
  (void)finish_trace();  // nobody is left to be told
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  (void)::sigaction(signal, &action, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  (void)::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  (void)::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace tsrunc::launcher
