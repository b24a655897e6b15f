#include "launcher/monitor_channel.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "sys/clock.h"

namespace tsrunc::launcher {
namespace {

[[nodiscard]] bool for_now() noexcept {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

void MonitorChannel::want(pollfd* out) const noexcept {
  out[0] = {waits() ? -1 : source_.get(), POLLIN, 0};
  out[1] = {waits_for_sink() ? sink_.get() : -1, POLLOUT, 0};
}

void MonitorChannel::move(const pollfd* ready, MonitorClients& clients, MonitorLog& log) noexcept {
  if (ready[1].revents != 0 && waits_for_sink()) {
    write();
  }
  if (ready[0].revents != 0 && source_.valid() && !waits()) {
    (void)read(clients, log);
  }
}

void MonitorChannel::retry(MonitorClients& clients) noexcept {
  if (waits_for_clients_) {
    waits_for_clients_ = !clients.resend(type_, data_, size_);
  }
}

// pty(7): EIO once no process has the other end open and everything was read.
bool MonitorChannel::read(MonitorClients& clients, MonitorLog& log) noexcept {
  const ssize_t got = ::read(source_.get(), data_, sizeof data_);
  if (got <= 0) {
    if (got == 0 || !for_now()) {
      source_.reset();
    }
    return false;
  }
  progress_ = sys::monotonic_ms();
  size_ = static_cast<size_t>(got);
  log.write(type_ == kFrameError, data_, size_);
  waits_for_clients_ = !clients.send(type_, data_, size_);
  if (sink_.valid()) {
    start_ = 0;
    end_ = size_;
    write();
  } else if (gave_up_) {
    lost_ += size_;
  }
  return true;
}

void MonitorChannel::settle(MonitorClients& clients) noexcept {
  constexpr int kMilliseconds = 50;
  if (waits()) {
    pollfd ready{waits_for_sink() ? sink_.get() : -1, POLLOUT, 0};
    (void)::poll(&ready, 1, kMilliseconds);
    write();
    retry(clients);
  }
  if (waits_for_sink()) {
    give_sink_up();
  }
  if (waits_for_clients_) {
    clients.hide_from_owed(type_);
    waits_for_clients_ = false;
  }
}

void MonitorChannel::read_out(MonitorClients& clients, MonitorLog& log) noexcept {
  // Not what a process that was left behind goes on to write.
  int left = 0;
  if (!source_.valid() || ::ioctl(source_.get(), FIONREAD, &left) != 0) {
    left = 0;
  }
  settle(clients);
  while (left > 0 && read(clients, log)) {
    left -= static_cast<int>(size_);
    settle(clients);
  }
}

void MonitorChannel::write() noexcept {
  while (waits_for_sink()) {
    const ssize_t written = ::write(sink_.get(), data_ + start_, end_ - start_);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0 && errno == EAGAIN) {
      return;
    }
    if (written < 0) {
      // ENOSPC and the like: the process goes on, and how much is missing is told with its end.
      lost_ += end_ - start_;
      start_ = end_;
      return;
    }
    progress_ = sys::monotonic_ms();
    start_ += static_cast<size_t>(written);
  }
}

void MonitorChannel::give_sink_up() noexcept {
  lost_ += end_ - start_;
  start_ = end_;
  sink_.reset();
  gave_up_ = true;
}

}  // namespace tsrunc::launcher
