#include "sys/kernel.h"

#include <csignal>
#include <cstring>

#include "sys/scan.h"
#include "sys/small_file.h"

namespace tsrunc::sys {

Result<UniqueFd> openat2(int dir, const char* path, uint64_t flags, uint64_t resolve,
                         uint64_t mode) noexcept {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  // openat2(2): EAGAIN if the kernel could not be sure that ".." stayed inside; an attacker may cause it at
  // will, so the number of tries is bounded.
  for (int tries = 0;; ++tries) {
    const long fd = ::syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd >= 0) {
      return UniqueFd(static_cast<int>(fd));
    }
    if ((errno != EAGAIN && errno != EINTR) || tries >= 128) {
      return fail("openat2", path);
    }
  }
}

Result<UniqueFd> open_host(const char* path, int flags, mode_t mode) noexcept {
  for (;;) {
    const int fd = ::open(path, flags | O_CLOEXEC, mode);
    if (fd >= 0) {
      return UniqueFd(fd);
    }
    if (errno != EINTR) {
      return fail("open", path);
    }
  }
}

namespace {

// `call` is write(2) or its like.
template <typename Call>
[[nodiscard]] Failure write_by(const Call& call, size_t size, const char* path) noexcept {
  for (;;) {
    const ssize_t written = call();
    if (written == static_cast<ssize_t>(size)) {
      return kOk;
    }
    if (written >= 0) {
      return fail(EIO, "write", path, "the kernel took only a part of the value");
    }
    if (errno != EINTR) {
      return fail("write", path);
    }
  }
}

}  // namespace

Failure write_once(int fd, const void* data, size_t size, const char* path) noexcept {
  return write_by([&] { return ::write(fd, data, size); }, size, path);
}

Failure write_once_at(int fd, const void* data, size_t size, off_t offset, const char* path) noexcept {
  return write_by([&] { return ::pwrite(fd, data, size, offset); }, size, path);
}

Failure close_range(unsigned first, unsigned last, unsigned flags) noexcept {
  return ::syscall(SYS_close_range, first, last, flags) < 0 ? fail("close_range") : kOk;
}

Failure write_file(int dir, const char* path, const char* text, size_t size) noexcept {
  for (;;) {
    const UniqueFd fd(::openat(dir, path, O_WRONLY | O_CLOEXEC));
    if (fd.valid()) {
      return write_once(fd.get(), text, size, path);
    }
    if (errno != EINTR) {
      return fail("open", path);
    }
  }
}

namespace {

void ignore_signal(int /*signal*/) {}

}  // namespace

void survive_broken_pipes() noexcept {
  struct sigaction action {};
  action.sa_handler = ignore_signal;
  (void)::sigaction(SIGPIPE, &action, nullptr);
}

namespace {

constexpr uint64_t kEverySignal = ~uint64_t{0};

// Behind `name`, sixteen digits: bit N-1 is signal N. All of them where that is not there.
[[nodiscard]] uint64_t signals_of(const char* status, const char* name) noexcept {
  const char* line = std::strstr(status, name);
  uint64_t signals = 0;
  return line != nullptr && Scan(line).word(name).number(signals, 16).matches() ? signals : kEverySignal;
}

}  // namespace

uint64_t changed_signals() noexcept {
  char status[4096];
  const bool told = read_record(AT_FDCWD, "/proc/self/status", status, sizeof status).ok();
  return told ? signals_of(status, "\nSigIgn:\t") | signals_of(status, "\nSigCgt:\t") : kEverySignal;
}

Failure reset_signals(uint64_t changed) noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    if ((changed >> (signal - 1) & 1) != 0) {
      // SIGKILL, SIGSTOP and the two that glibc keeps for itself answer EINVAL.
      (void)::sigaction(signal, &action, nullptr);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  return ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0 ? kOk : fail("rt_sigprocmask");
}

void reset_signals() noexcept {
  (void)reset_signals(kEverySignal);
}

}  // namespace tsrunc::sys
