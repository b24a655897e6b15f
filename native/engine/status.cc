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
  const auto length = sys::read_record(AT_FDCWD, path, text, sizeof text);
  if (!length.ok()) {
    const int code = length.failure().code;
    return sys::fail(code == ENOENT ? ESRCH : code, length.failure().call, "/proc/PID/stat", nullptr);
  }
  return parse_stat(text, out);
}

// A zombie leader whose other threads live is a process that still runs (pthread_exit(3) in main).
[[nodiscard]] Result<bool> is_alive(const ProcessId& process) noexcept {
  Stat stat;
  if (const Failure failure = read_stat(process.pid, stat); failure) {
    // Whatever else went wrong: it may live, and nobody may take it for dead.
    return failure.code == ESRCH ? Result<bool>(false) : failure;
  }
  const bool dead = stat.letter == 'Z' || stat.letter == 'X' || stat.letter == 'x';
  return stat.start_time == process.start_time && (!dead || stat.threads > 1);
}

// fifo(7): opening for writing without a reader is ENXIO. Init opened it for reading and writing, so that a
// writer who comes and goes, like this one, does not make its read(2) return.
[[nodiscard]] Result<bool> waits_for_start(const StateDir& dir) noexcept {
  const auto fifo = dir.open_file("exec.fifo", O_WRONLY | O_NONBLOCK);
  if (!fifo.ok() && fifo.failure().code != ENXIO && fifo.failure().code != ENOENT) {
    return fifo.failure();
  }
  return fifo.ok();
}

// Whether somebody holds the lock: a create that is still at work.
[[nodiscard]] Result<bool> is_locked(const StateDir& dir) noexcept {
  // An open file of its own: the caller may hold the lock by dir.fd() itself.
  const auto again = dir.open_file(".", O_RDONLY | O_DIRECTORY);
  if (!again.ok()) {
    // The directory was removed meanwhile.
    return again.failure().code == ENOENT ? Result<bool>(false) : again.failure();
  }
  while (::flock(again->get(), LOCK_SH | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return true;
    }
    if (errno != EINTR) {
      return sys::fail("flock", dir.path());
    }
  }
  return false;
}

// Of a container that was created.
[[nodiscard]] Failure look_at(const StateDir& dir, const wire::Plan* plan, const SavedState& state,
                              Status& out) noexcept {
  const auto alive = is_alive(state.init);
  if (!alive.ok() || !*alive) {
    return alive.failure();
  }
  const auto frozen = is_frozen(plan);
  if (!frozen.ok() || *frozen) {
    out = Status::kPaused;
    return frozen.failure();
  }
  const auto waits = waits_for_start(dir);
  out = waits.ok() && *waits ? Status::kCreated : Status::kRunning;
  return waits.failure();
}

}  // namespace

Result<bool> is_frozen(const wire::Plan* plan) noexcept {
  if (plan == nullptr || plan->header.frozen_file.empty()) {
    return false;
  }
  char text[512];
  const char* file = plan->header.frozen_file.data;
  const auto length = sys::read_file(AT_FDCWD, file, text, sizeof text);
  if (!length.ok()) {
    // ENODEV: the cgroup is removed while it is read.
    const int code = length.failure().code;
    return code == ENOENT || code == ENODEV ? Result<bool>(false) : length.failure();
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

Failure derive_status(const StateDir& dir, const wire::Plan* plan, SavedState& state, Status& out) {
  state = {};
  out = Status::kStopped;
  const Failure damage = dir.load_state(state);
  if (damage && (damage.code != EBADMSG || state.init.pid == 0)) {
    if (damage.code != ENODATA) {
      return damage;
    }
    // Without a create that holds the lock, what is here was left by one that was killed.
    const auto locked = is_locked(dir);
    out = locked.ok() && *locked ? Status::kCreating : Status::kStopped;
    return locked.failure();
  }
  TSRUNC_TRY(look_at(dir, plan, state, out));
  return damage;
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
