#include "launcher/relay.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace tsrunc::launcher {
namespace {

[[nodiscard]] bool for_now() noexcept {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

Relay::Relay(sys::UniqueFd master) noexcept : master_(std::move(master)), input_open_(master_.valid()) {
  if (master_.valid()) {
    memory_.resize(2 * kBufferSize);
    input_.data = memory_.data();
    output_.data = memory_.data() + kBufferSize;
    const int flags = ::fcntl(master_.get(), F_GETFL);
    (void)::fcntl(master_.get(), F_SETFL, flags | O_NONBLOCK);
    slave_ = sys::UniqueFd(::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  }
}

void Relay::finish() noexcept {
  input_open_ = false;
  slave_.reset();
}

void Relay::want(pollfd (&out)[kFds]) const noexcept {
  const bool has_input = input_.left() > 0;
  const bool has_output = output_.left() > 0;
  out[0] = {input_open_ && master_.valid() && !has_input ? STDIN_FILENO : -1, POLLIN, 0};
  const auto events = static_cast<short>((has_input ? POLLOUT : 0) | (has_output ? 0 : POLLIN));
  out[1] = {events != 0 ? master_.get() : -1, events, 0};
  out[2] = {has_output ? STDOUT_FILENO : -1, POLLOUT, 0};
}

bool Relay::move(const pollfd (&ready)[kFds]) noexcept {
  if (ready[2].revents != 0) {
    write_output();
  }
  if (ready[1].revents != 0 && (ready[1].events & POLLIN) != 0 && master_.valid()) {
    read_output();
  }
  if (ready[1].revents != 0 && input_.left() > 0 && master_.valid()) {
    write_input();
  }
  if (ready[0].revents != 0) {
    read_input();
  }
  return (ready[0].revents | ready[1].revents | ready[2].revents) != 0;
}

void Relay::read_input() noexcept {
  const ssize_t got = ::read(STDIN_FILENO, input_.data, kBufferSize);
  if (got > 0) {
    input_.start = 0;
    input_.end = static_cast<size_t>(got);
    last_input_ = input_.data[got - 1];
    write_input();
    return;
  }
  if (got < 0 && for_now()) {
    return;
  }
  input_open_ = false;
  if (got == 0) {
    end_input();
  }
}

// The end of a file is told to a terminal as its user would: by the end-of-file character, on a line of its
// own or twice (termios(3) VEOF). A program that took the terminal out of canonical mode gets nothing: there
// it means nothing.
void Relay::end_input() noexcept {
  termios slave{};
  if (::tcgetattr(master_.get(), &slave) != 0 || (slave.c_lflag & ICANON) == 0) {
    return;
  }
  input_.start = 0;
  input_.end = last_input_ == '\n' ? 1 : 2;
  input_.data[0] = input_.data[1] = static_cast<char>(slave.c_cc[VEOF]);
  write_input();
}

void Relay::write_input() noexcept {
  const ssize_t written = ::write(master_.get(), input_.data + input_.start, input_.left());
  if (written >= 0) {
    input_.start += static_cast<size_t>(written);
  } else if (!for_now()) {
    input_.start = input_.end;
    input_open_ = false;
  }
}

// pty(7): EIO once no process has the other end open and everything was read.
void Relay::read_output() noexcept {
  const ssize_t got = ::read(master_.get(), output_.data, kBufferSize);
  if (got > 0) {
    output_.start = 0;
    output_.end = static_cast<size_t>(got);
    write_output();
  } else if (got == 0 || !for_now()) {
    master_.reset();
  }
}

void Relay::write_output() noexcept {
  const ssize_t written = ::write(STDOUT_FILENO, output_.data + output_.start, output_.left());
  if (written >= 0) {
    output_.start += static_cast<size_t>(written);
  } else if (!for_now()) {
    // Nobody sees the terminal any more: a hang-up, of which the kernel tells the container by SIGHUP.
    output_.start = output_.end;
    slave_.reset();
    master_.reset();
  }
}

}  // namespace tsrunc::launcher
