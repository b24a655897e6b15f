// Deadlines by the monotonic clock, in milliseconds. Nothing waits without one.
#pragma once

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace tsrunc::sys {

// By system call: vdso(7) has three pages of its own, and a process that looks at the clock some five times
// pays more for its page faults than for the calls.
[[nodiscard]] inline timespec read_clock(clockid_t clock) noexcept {
  timespec now{};
  (void)::syscall(SYS_clock_gettime, clock, &now);
  return now;
}

[[nodiscard]] inline int64_t monotonic_ms() noexcept {
  const timespec now = read_clock(CLOCK_MONOTONIC);
  return now.tv_sec * int64_t{1000} + now.tv_nsec / 1000000;
}

[[nodiscard]] inline int64_t monotonic_ns() noexcept {
  const timespec now = read_clock(CLOCK_MONOTONIC);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

// A counter of the processor that every process reads without a system call, whatever its time namespace and
// its seccomp filter; its unit is known only by comparison with monotonic_ns().
[[nodiscard]] inline int64_t ticks() noexcept {
#if defined(__x86_64__)
  return static_cast<int64_t>(__builtin_ia32_rdtsc());
#elif defined(__aarch64__)
  int64_t now = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(now));
  return now;
#else
  return monotonic_ns();
#endif
}

inline void sleep_ms(int64_t milliseconds) noexcept {
  const timespec pause{milliseconds / 1000, (milliseconds % 1000) * 1000000};
  (void)::nanosleep(&pause, nullptr);  // a signal only makes the next look come sooner
}

class Deadline {
 public:
  explicit Deadline(int64_t milliseconds) noexcept : at_(monotonic_ms() + milliseconds) {}
  // For poll(2): never negative.
  [[nodiscard]] int left() const noexcept {
    const int64_t rest = at_ - monotonic_ms();
    return rest > 0 ? static_cast<int>(rest) : 0;
  }
  [[nodiscard]] bool over() const noexcept { return left() == 0; }
  // Sleeps for a while that grows from one call to the next, at most until the deadline.
  void pause() noexcept {
    const int rest = left();
    sleep_ms(next_ < rest ? next_ : rest);
    next_ = next_ < 16 ? next_ * 2 : 16;
  }

 private:
  friend class Patience;
  Deadline() noexcept = default;

  int64_t at_ = 0;
  int next_ = 1;
};

// A deadline that begins with the first look at it: what is nearly always done at once is then done without
// one, which is a system call. Not for time that has to count before: a Deadline begins when it is made.
class Patience {
 public:
  explicit Patience(int64_t milliseconds) noexcept : milliseconds_(milliseconds) {}
  [[nodiscard]] bool over() noexcept { return begun().over(); }
  void pause() noexcept { begun().pause(); }

 private:
  [[nodiscard]] Deadline& begun() noexcept {
    if (!begun_) {
      deadline_ = Deadline(milliseconds_);
      begun_ = true;
    }
    return deadline_;
  }

  int64_t milliseconds_;
  Deadline deadline_;
  bool begun_ = false;
};

}  // namespace tsrunc::sys
