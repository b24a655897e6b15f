#include "engine/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "engine/init/capabilities.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Text;
using sys::UniqueFd;

constexpr int64_t kMsPerSecond = 1000;
constexpr int64_t kNsPerMs = 1000000;

// By vdso(7), not by sys/clock.h: init runs hooks beneath its filter, where each system call could be the
// last one.
int64_t now_ms() noexcept {
  timespec time{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * kMsPerSecond + time.tv_nsec / kNsPerMs;
}

// The last bytes of what the hook wrote to standard output and standard error.
class Tail {
 public:
  void add(const char* data, size_t size) noexcept {
    for (size_t i = 0; i < size; ++i) {
      bytes_[(start_ + length_) % sizeof bytes_] = data[i];
      if (length_ < sizeof bytes_) {
        ++length_;
      } else {
        start_ = (start_ + 1) % sizeof bytes_;
      }
    }
  }
  // One line, without the newlines at its end; others become "; ".
  void print(Text& out) const noexcept {
    size_t length = length_;
    while (length > 0 && at(length - 1) == '\n') {
      --length;
    }
    for (size_t i = 0; i < length; ++i) {
      const char byte = at(i);
      if (byte == '\n') {
        out.add("; ");
      } else {
        out.add(&byte, 1);
      }
    }
  }
  [[nodiscard]] bool empty() const noexcept { return length_ == 0; }

 private:
  [[nodiscard]] char at(size_t i) const noexcept { return bytes_[(start_ + i) % sizeof bytes_]; }
  char bytes_[768] = {};
  size_t start_ = 0;
  size_t length_ = 0;
};

struct Pipes {
  UniqueFd input_read, input_write, output_read, output_write, error_read, error_write;
};

Failure make_pipe(UniqueFd& reader, UniqueFd& writer) noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) {
    return fail("pipe2");
  }
  reader.reset(ends[0]);
  writer.reset(ends[1]);
  return kOk;
}

// What a child could not do, as it tells its parent.
struct Refusal {
  int code = 0;
  uint32_t call = 0;  // of kCalls
};
constexpr const char* kCalls[] = {"prctl", "dup2", "close_range", "capset", "execve"};
constexpr uint32_t kExecve = 4;

[[noreturn]] void become_hook(const wire::RunHook& op, const Pipes& pipes,
                              const HookOutput& output) noexcept {
  const int standard = output.standard >= 0 ? output.standard : pipes.output_write.get();
  const int error = output.error >= 0 ? output.error : pipes.output_write.get();
  // A group of its own, so that a hook that is out of time takes its children along.
  (void)::setpgid(0, 0);
  sys::reset_signals();
  Refusal refusal;
  uint64_t missing = 0;
  const auto next = [&](bool done) {
    refusal.call += done ? 1 : 0;
    return done;
  };
  if (next(::prctl(PR_SET_PDEATHSIG, SIGKILL) >= 0) &&
      next(::dup2(pipes.input_read.get(), 0) >= 0 && ::dup2(standard, 1) >= 0 && ::dup2(error, 2) >= 0) &&
      next(!sys::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC)) &&
      next(!op.drop_capabilities ||
           !set_capabilities({op.effective, op.permitted, op.inheritable, op.ambient}, missing))) {
    // config.md: args are argv as in execv(3); without them only the name of the program.
    const char* const name_only[] = {op.path.data, nullptr};
    const char* const* args = op.args.count > 0 ? op.args.items : name_only;
    (void)::execve(op.path.data, const_cast<char* const*>(args), const_cast<char* const*>(op.env.items));
  }
  refusal.code = errno;
  [[maybe_unused]] const ssize_t told = ::write(pipes.error_write.get(), &refusal, sizeof refusal);
  ::_exit(127);
}

struct Running {
  pid_t pid = 0;
  UniqueFd pidfd;
};

Failure spawn(const wire::RunHook& op, const HookOutput& output, Pipes& pipes, Running& out) noexcept {
  TSRUNC_TRY(make_pipe(pipes.input_read, pipes.input_write));
  TSRUNC_TRY(make_pipe(pipes.output_read, pipes.output_write));
  TSRUNC_TRY(make_pipe(pipes.error_read, pipes.error_write));
  // A hook that neither reads nor writes must not keep us longer than its timeout.
  if (::fcntl(pipes.input_write.get(), F_SETFL, O_NONBLOCK) != 0 ||
      ::fcntl(pipes.output_read.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail("fcntl", op.path.data);
  }
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = sys::clone3(args);
  if (pid < 0) {
    return fail("clone3", op.path.data);
  }
  if (pid == 0) {
    become_hook(op, pipes, output);
  }
  out.pid = static_cast<pid_t>(pid);
  out.pidfd.reset(pidfd);
  // In both processes, whichever comes first: the group must be there before it may have to be killed.
  (void)::setpgid(out.pid, out.pid);
  pipes.input_read.reset();
  pipes.output_write.reset();
  pipes.error_write.reset();
  return kOk;
}

void drain(int fd, Tail& tail) noexcept {
  char buffer[1024];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) {
    tail.add(buffer, static_cast<size_t>(got));
  }
}

enum class End : uint8_t { kItself, kTimeout, kContainer };

// Feeds the input, collects the output, until the hook ends, its time is over or the container, if `init` is
// its pidfd, has ended. `refused`: the errno of an input that could not be written, not even to a hook that
// reads.
End converse(const Running& hook, Pipes& pipes, const HookInput& input, uint32_t timeout, int init,
             Tail& tail, int& refused) noexcept {
  const int64_t end = timeout == 0 ? 0 : now_ms() + int64_t{timeout} * kMsPerSecond;
  size_t sent = 0;
  for (;;) {
    pollfd fds[4] = {{hook.pidfd.get(), POLLIN, 0},
                     {pipes.output_read.get(), POLLIN, 0},
                     {pipes.input_write.get(), POLLOUT, 0},
                     {init, POLLIN, 0}};
    int wait = -1;
    if (timeout != 0) {
      const int64_t left = end - now_ms();
      if (left <= 0) {
        return End::kTimeout;
      }
      constexpr int64_t kLongest = 1 << 30;
      wait = static_cast<int>(left < kLongest ? left : kLongest);
    }
    // ENOMEM passes, and the loop ends by the timeout.
    if (::poll(fds, 4, wait) < 0 && errno != EINTR && errno != ENOMEM) {
      return End::kItself;
    }
    if ((fds[2].revents & (POLLOUT | POLLERR)) != 0) {
      const ssize_t written = ::write(pipes.input_write.get(), input.state + sent, input.size - sent);
      sent += written > 0 ? static_cast<size_t>(written) : 0;
      refused = written < 0 && errno != EPIPE && errno != EAGAIN && errno != EINTR ? errno : refused;
      if ((written < 0 && errno != EAGAIN && errno != EINTR) || sent == input.size) {
        pipes.input_write.reset();  // all is written, or the hook does not want it
      }
    }
    if (fds[1].revents != 0) {
      drain(pipes.output_read.get(), tail);
      if ((fds[1].revents & POLLHUP) != 0) {
        pipes.output_read.reset();
      }
    }
    if (fds[0].revents != 0) {
      return End::kItself;
    }
    if (fds[3].revents != 0) {
      return End::kContainer;
    }
  }
}

Failure judge(const wire::RunHook& op, int status, End end, const Tail& tail, char* detail,
              size_t size) noexcept {
  if (end == End::kItself && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return kOk;
  }
  Text text(detail, size);
  if (end == End::kContainer) {
    text.add("init ended before the hook did, which was killed");
  } else if (end == End::kTimeout) {
    text.add("it did not end within its timeout of ").add(uint64_t{op.timeout}).add(" s and was killed");
  } else if (WIFSIGNALED(status)) {
    text.add("it was killed by signal ").add(static_cast<uint64_t>(WTERMSIG(status)));
  } else {
    text.add("it ended with exit status ").add(static_cast<uint64_t>(WEXITSTATUS(status)));
  }
  if (!tail.empty()) {
    text.add(": ");
    tail.print(text);
  }
  const wire::Str& file = op.stderr_path.empty() ? op.stdout_path : op.stderr_path;
  if (!file.empty()) {
    text.add("; what it printed is in ").add(file.data);
  }
  constexpr int kCodes[] = {sys::kNoErrno, ETIMEDOUT, ECHILD};  // in the order of End
  return fail(kCodes[static_cast<uint8_t>(end)], "hook", op.path.data, detail);
}

// SIGPIPE of a hook that closes its input must not end tsrunc.
class IgnoreBrokenPipe {
 public:
  IgnoreBrokenPipe() noexcept {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    (void)::sigaction(SIGPIPE, &action, &before_);
  }
  ~IgnoreBrokenPipe() { (void)::sigaction(SIGPIPE, &before_, nullptr); }
  IgnoreBrokenPipe(const IgnoreBrokenPipe&) = delete;
  IgnoreBrokenPipe& operator=(const IgnoreBrokenPipe&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace

Failure run_hook(const wire::RunHook& op, const HookInput& input, const HookOutput& output, int init,
                 char* detail, size_t size) noexcept {
  const IgnoreBrokenPipe ignore;
  Pipes pipes;
  Running hook;
  TSRUNC_TRY(spawn(op, output, pipes, hook));
  Refusal refusal;
  ssize_t got = 0;
  while ((got = ::read(pipes.error_read.get(), &refusal, sizeof refusal)) < 0 && errno == EINTR) {
  }
  if (got < 0) {
    const int code = errno;
    (void)::kill(-hook.pid, SIGKILL);
    (void)::waitpid(hook.pid, nullptr, 0);
    return fail(code, "read", op.path.data, nullptr);
  }
  if (got == static_cast<ssize_t>(sizeof refusal)) {
    (void)::waitpid(hook.pid, nullptr, 0);
    return fail(refusal.code, kCalls[refusal.call <= kExecve ? refusal.call : kExecve], op.path.data,
                nullptr);
  }
  Tail tail;
  int refused = 0;
  const End end = converse(hook, pipes, input, op.timeout, init, tail, refused);
  if (end != End::kItself) {
    (void)::kill(-hook.pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(hook.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pipes.output_read.valid()) {
    drain(pipes.output_read.get(), tail);
  }
  Failure failure = judge(op, status, end, tail, detail, size);
  return failure || refused == 0
             ? failure
             : fail(refused, "write", op.path.data, "the state could not be written to it");
}

}  // namespace tsrunc::engine
