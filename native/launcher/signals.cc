#include "launcher/signals.h"

#include <signal.h>

#include "sys/characters.h"

namespace tsrunc::launcher {
namespace {

struct Row {
  const char* name;
  int number;
};
constexpr Row kSignals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT},     {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT}, {"IOT", SIGIOT},       {"BUS", SIGBUS},       {"FPE", SIGFPE},   {"KILL", SIGKILL},
    {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},     {"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},
    {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},     {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU}, {"URG", SIGURG},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},     {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
    {"IO", SIGIO},     {"POLL", SIGPOLL},     {"PWR", SIGPWR},       {"SYS", SIGSYS},
};

// As users of kill(1) count: the kernel's own first real-time signal is 32, of which C libraries keep two or
// three.
constexpr int kRtMin = 34;
constexpr int kRtMax = 64;

// Digits only, up to `most`; -1 for anything else.
[[nodiscard]] int number(const char* text, int most) noexcept {
  int value = 0;
  if (*text == 0) {
    return -1;
  }
  for (; *text != 0; ++text) {
    if (*text < '0' || *text > '9' || value > most) {
      return -1;
    }
    value = value * 10 + (*text - '0');
  }
  return value <= most ? value : -1;
}

[[nodiscard]] int real_time(const char* name) noexcept {
  const bool least = sys::begins_in_any_case(name, "RTMIN");
  if (!least && !sys::begins_in_any_case(name, "RTMAX")) {
    return -1;
  }
  const char* rest = name + 5;
  if (*rest == 0) {
    return least ? kRtMin : kRtMax;
  }
  const int offset = *rest == (least ? '+' : '-') ? number(rest + 1, kRtMax - kRtMin) : -1;
  if (offset < 0) {
    return -1;
  }
  return least ? kRtMin + offset : kRtMax - offset;
}

}  // namespace

int parse_signal(const char* text) noexcept {
  if (const int value = number(text, kRtMax); value >= 0) {
    return value;
  }
  const char* name = sys::begins_in_any_case(text, "SIG") ? text + 3 : text;
  for (const Row& row : kSignals) {
    if (sys::same_in_any_case(row.name, name)) {
      return row.number;
    }
  }
  return real_time(name);
}

}  // namespace tsrunc::launcher
