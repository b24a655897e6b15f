#include "launcher/monitor_streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr int kCommon = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

// fifo(7): opened for both directions a fifo neither waits for its other end nor breaks with it.
[[nodiscard]] Failure open_path(const wire::Str& path, int flags, UniqueFd& out) noexcept {
  if (path.empty()) {
    return kOk;
  }
  struct stat about {};
  const bool fifo = ::stat(path.data, &about) == 0 && S_ISFIFO(about.st_mode);
  out.reset(::open(path.data, (fifo ? O_RDWR : flags) | kCommon, 0600));
  return out.valid() ? kOk : sys::fail("open", path.data);
}

// `near`: the monitor's end.
[[nodiscard]] Failure make_pipe(UniqueFd& reader, UniqueFd& writer, const UniqueFd& near) noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return sys::fail("pipe2");
  }
  reader.reset(ends[0]);
  writer.reset(ends[1]);
  return ::fcntl(near.get(), F_SETFL, O_NONBLOCK) == 0 ? kOk : sys::fail("fcntl");
}

[[nodiscard]] UniqueFd null_device(int flags) noexcept {
  return UniqueFd(::open("/dev/null", flags | O_CLOEXEC));
}

}  // namespace

Failure MonitorStreams::open(const wire::Launch& launch, bool terminal) {
  constexpr int kAppend = O_WRONLY | O_APPEND | O_CREAT;
  TSRUNC_TRY(open_path(launch.monitor_stdin, O_RDONLY, in_source_));
  TSRUNC_TRY(open_path(launch.monitor_stdout, kAppend, out_sink_));
  TSRUNC_TRY(open_path(launch.monitor_stderr, kAppend, err_sink_));
  if (!launch.log_path.empty()) {
    log_.reset(::open(launch.log_path.data, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                      0640));
    struct stat about {};
    if (!log_.valid()) {
      return sys::fail("open", launch.log_path.data);
    }
    if (::fstat(log_.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
      return sys::fail(EINVAL, "open", launch.log_path.data, "a log is a regular file");
    }
  }
  if (terminal) {
    return kOk;
  }
  if (in_source_.valid() || launch.monitor_interactive) {
    TSRUNC_TRY(make_pipe(child_[0], in_sink_, in_sink_));
  } else {
    child_[0] = null_device(O_RDONLY);
    if (!child_[0].valid()) {
      return sys::fail("open", "/dev/null");
    }
  }
  TSRUNC_TRY(make_pipe(out_source_, child_[1], out_source_));
  return make_pipe(err_source_, child_[2], err_source_);
}

Failure MonitorStreams::place() noexcept {
  for (int fd = 0; fd < 3; ++fd) {
    if (child_[fd].valid() && ::dup2(child_[fd].get(), fd) < 0) {
      return sys::fail("dup2");
    }
    child_[fd].reset();
  }
  return kOk;
}

Failure MonitorStreams::leave() noexcept {
  const UniqueFd null = null_device(O_RDWR);
  if (!null.valid()) {
    return sys::fail("open", "/dev/null");
  }
  for (int fd = 0; fd < 3; ++fd) {
    if (::dup2(null.get(), fd) < 0) {
      return sys::fail("dup2");
    }
  }
  return kOk;
}

Failure MonitorStreams::take_terminal(UniqueFd master) noexcept {
  if (!master.valid()) {
    return kOk;
  }
  if (::fcntl(master.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    return sys::fail("fcntl");
  }
  in_sink_.reset(::fcntl(master.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  out_source_ = std::move(master);
  return in_sink_.valid() ? kOk : sys::fail("fcntl");
}

void MonitorStreams::fill(MonitorOrder& order) const noexcept {
  order.input = {in_source_.get(), in_sink_.get()};
  order.output = {out_source_.get(), out_sink_.get()};
  order.log.fd = log_.get();
  order.error = {err_source_.get(), err_sink_.get()};
}

}  // namespace tsrunc::launcher
