// What the kernel says of a container now.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/state_dir.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Result;

// proc_pid_stat(5): the fields that tell a process from a later one of the same pid.
struct Stat {
  char letter = 0;
  uint64_t threads = 0;
  uint64_t start_time = 0;
};

[[nodiscard]] Failure parse_stat(const char* text, Stat& out) noexcept {
  // Field 2 is the name in parentheses, which may hold blanks and parentheses itself.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] != ' ' || at[2] == 0) {
    return sys::fail(EPROTO, "read", "/proc/PID/stat", nullptr);
  }
  out.letter = at[2];
  at += 3;
  for (int field = 4; field <= 22; ++field) {
    char* end = nullptr;
    const uint64_t value = std::strtoull(at, &end, 10);
    if (end == at) {
      return sys::fail(EPROTO, "read", "/proc/PID/stat", nullptr);
    }
    out.threads = field == 20 ? value : out.threads;
    out.start_time = field == 22 ? value : out.start_time;
    at = end;
  }
  return kOk;
}

[[nodiscard]] Failure read_stat(pid_t pid, Stat& out) noexcept {
  if (pid <= 0) {
    return sys::fail(ESRCH, "open", "/proc/PID/stat", nullptr);
  }
  char path[48];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(pid)).add("/stat");
  char text[1024];
  const auto length = sys::read_file(AT_FDCWD, path, text, sizeof text);
  if (!length.ok()) {
    const int code = length.failure().code;
    return sys::fail(code == ENOENT ? ESRCH : code, length.failure().call, "/proc/PID/stat", nullptr);
  }
  return parse_stat(text, out);
}

// A zombie leader whose other threads live is a process that still runs (pthread_exit(3) in main).
[[nodiscard]] bool is_alive(const ProcessId& process) noexcept {
  Stat stat;
  if (read_stat(process.pid, stat) || stat.start_time != process.start_time) {
    return false;
  }
  const bool dead = stat.letter == 'Z' || stat.letter == 'X' || stat.letter == 'x';
  return !dead || stat.threads > 1;
}

[[nodiscard]] bool is_frozen(const wire::Plan* plan) noexcept {
  if (plan == nullptr || plan->header.frozen_file.empty()) {
    return false;
  }
  char text[512];
  const auto length = sys::read_file(AT_FDCWD, plan->header.frozen_file.data, text, sizeof text);
  if (!length.ok()) {
    return false;
  }
  const wire::Str& wanted = plan->header.frozen_text;
  for (const char* line = text; *line != 0;) {
    const char* end = std::strchr(line, '\n');
    const size_t size = end == nullptr ? std::strlen(line) : static_cast<size_t>(end - line);
    if (size == wanted.size && std::memcmp(line, wanted.data, size) == 0) {
      return true;
    }
    line += end == nullptr ? size : size + 1;
  }
  return false;
}

// fifo(7): opening for writing without a reader is ENXIO. Init opened it for reading and writing, so that a
// writer who comes and goes, like this one, does not make its read(2) return.
[[nodiscard]] bool waits_for_start(const StateDir& dir) noexcept {
  return dir.open_file("exec.fifo", O_WRONLY | O_NONBLOCK).ok();
}

// Whether somebody holds the lock: a create that is still at work.
[[nodiscard]] bool is_locked(const StateDir& dir) noexcept {
  // An open file of its own: the caller may hold the lock by dir.fd() itself.
  const sys::UniqueFd fd(::openat(dir.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

const char* status_name(Status status) noexcept {
  switch (status) {
    case Status::kCreating:
      return "creating";
    case Status::kCreated:
      return "created";
    case Status::kRunning:
      return "running";
    case Status::kPaused:
      return "paused";
    case Status::kStopped:
      return "stopped";
  }
  return "unknown";
}

Status derive_status(const StateDir& dir, const wire::Plan* plan, SavedState& state) {
  state = {};
  if (dir.load_state(state)) {
    // Without a create that holds the lock, what is here was left by one that was killed.
    return is_locked(dir) ? Status::kCreating : Status::kStopped;
  }
  if (!is_alive(state.init)) {
    return Status::kStopped;
  }
  if (is_frozen(plan)) {
    return Status::kPaused;
  }
  return waits_for_start(dir) ? Status::kCreated : Status::kRunning;
}

Result<uint64_t> start_time(pid_t pid, char* letter) {
  Stat stat;
  if (const Failure failure = read_stat(pid, stat); failure) {
    return failure;
  }
  if (letter != nullptr) {
    *letter = stat.letter;
  }
  return stat.start_time;
}

}  // namespace tsrunc::engine
