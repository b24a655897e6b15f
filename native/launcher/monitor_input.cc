#include "launcher/monitor_input.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tsrunc::launcher {
namespace {

[[nodiscard]] bool for_now() noexcept {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

void MonitorInput::want(pollfd* out) const noexcept {
  const bool pending = start_ < end_;
  out[0] = {pending ? -1 : source_.get(), POLLIN, 0};
  // A pipe that nobody reads any more says so without being asked. A terminal's master is watched elsewhere.
  const bool watched = pending || !terminal_;
  out[1] = {watched ? sink_.get() : -1, static_cast<short>(pending ? POLLOUT : 0), 0};
}

void MonitorInput::move(const pollfd* ready) noexcept {
  if (ready[1].revents != 0 && start_ < end_) {
    write();
  } else if ((ready[1].revents & (POLLERR | POLLHUP)) != 0) {
    end();
  }
  if (ready[0].revents != 0 && source_.valid() && start_ == end_) {
    read();
  }
}

size_t MonitorInput::room() const noexcept {
  if (!sink_.valid() || closing_) {
    return sizeof data_;  // for nothing
  }
  return start_ == end_ ? sizeof data_ : sizeof data_ - end_;
}

size_t MonitorInput::take(const char* data, size_t size) noexcept {
  if (!sink_.valid() || closing_) {
    return size;
  }
  if (start_ == end_) {
    start_ = end_ = 0;
  }
  const size_t taken = std::min(size, sizeof data_ - end_);
  std::memcpy(data_ + end_, data, taken);
  end_ += taken;
  last_ = taken > 0 ? data[taken - 1] : last_;
  write();
  return taken;
}

void MonitorInput::read() noexcept {
  const ssize_t got = ::read(source_.get(), data_, sizeof data_);
  if (got > 0) {
    start_ = 0;
    end_ = static_cast<size_t>(got);
    last_ = data_[got - 1];
    write();
    return;
  }
  if (got < 0 && for_now()) {
    close_if_done();
    return;
  }
  source_.reset();
  closing_ = closing_ || (!interactive_ && !terminal_);
  close_if_done();
}

void MonitorInput::write() noexcept {
  const ssize_t written = ::write(sink_.get(), data_ + start_, end_ - start_);
  if (written >= 0) {
    start_ += static_cast<size_t>(written);
  } else if (!for_now()) {
    end();
  }
  close_if_done();
}

// termios(3) VEOF: on a line of its own, or twice. A program that took the terminal out of canonical mode
// gets nothing.
void MonitorInput::close(bool tell_terminal) noexcept {
  if (terminal_) {
    termios settings{};
    if (tell_terminal && sink_.valid() && ::tcgetattr(sink_.get(), &settings) == 0 &&
        (settings.c_lflag & ICANON) != 0) {
      const char keys[] = {static_cast<char>(settings.c_cc[VEOF]), static_cast<char>(settings.c_cc[VEOF])};
      (void)take(keys, last_ == '\n' ? 1 : 2);
    }
    return;
  }
  closing_ = true;
  if (start_ == end_ && source_.valid()) {
    read();
  }
  close_if_done();
}

void MonitorInput::close_if_done() noexcept {
  if (!closing_ || start_ < end_) {
    return;
  }
  if (source_.valid()) {
    pollfd ready{source_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 0) > 0 && ready.revents != 0) {
      return;  // the loop reads it
    }
  }
  source_.reset();
  sink_.reset();
}

void MonitorInput::end() noexcept {
  start_ = end_ = 0;
  source_.reset();
  sink_.reset();
}

}  // namespace tsrunc::launcher
