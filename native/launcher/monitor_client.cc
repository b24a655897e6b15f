#include "launcher/monitor_client.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sys/clock.h"

namespace tsrunc::launcher {
namespace {

// The kernel keeps it for a client that does not read.
constexpr int kBacklog = 256 << 10;

[[nodiscard]] bool for_now() noexcept {
  return errno == EAGAIN || errno == EINTR;
}

[[nodiscard]] bool may_connect(int socket) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace

void MonitorClient::accept(sys::UniqueFd socket) noexcept {
  socket_ = std::move(socket);
  attached_ = 0;
  wants_exit_ = ends_ = false;
  head_size_ = left_ = small_size_ = start_ = end_ = 0;
  since_ = sys::monotonic_ms();
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &kBacklog, sizeof kBacklog);
  if (!may_connect(socket_.get())) {
    refuse("this monitor serves its own user and root only");
  }
}

void MonitorClient::drop() noexcept {
  socket_.reset();
}

bool MonitorClient::sees(char type) const noexcept {
  const uint8_t bit = type == kFrameOutput ? kAttachOutput : kAttachError;
  return open() && !ends_ && (attached_ & bit) != 0;
}

bool MonitorClient::stuck(int64_t now, int64_t milliseconds) const noexcept {
  return open() && now - since_ >= milliseconds;
}

pollfd MonitorClient::want(const MonitorServices& services) const noexcept {
  const bool input = left_ > 0 && head_[0] == kFrameInput;
  const bool reads = !ends_ && !pending() && (!input || services.input_room() > 0);
  const auto events = static_cast<short>((reads ? POLLIN : 0) | (pending() ? POLLOUT : 0));
  return {events != 0 ? socket_.get() : -1, events, 0};
}

void MonitorClient::move(short events, MonitorServices& services) noexcept {
  if (open() && pending() && (events & (POLLOUT | POLLERR | POLLHUP)) != 0) {
    flush();
  }
  if (open() && !pending() && (events & (POLLIN | POLLHUP | POLLERR)) != 0) {
    read(services);
  }
}

bool MonitorClient::send(char type, const char* data, size_t size) noexcept {
  if (!open() || pending()) {
    return !open();
  }
  char head[kFrameHead];
  put_frame_head(type, size, head);
  iovec parts[] = {{head, sizeof head}, {const_cast<char*>(data), size}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    if (!for_now()) {
      drop();
    }
    return !open();
  }
  since_ = sys::monotonic_ms();
  if (static_cast<size_t>(sent) < sizeof head + size) {
    std::memcpy(rest_, head, sizeof head);
    std::memcpy(rest_ + sizeof head, data, size);
    start_ = static_cast<size_t>(sent);
    end_ = sizeof head + size;
  }
  return true;
}

void MonitorClient::flush() noexcept {
  const ssize_t sent = ::send(socket_.get(), rest_ + start_, end_ - start_, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    if (!for_now()) {
      drop();
    }
    return;
  }
  since_ = sys::monotonic_ms();
  start_ += static_cast<size_t>(sent);
  if (!pending() && ends_) {
    drop();
  }
}

void MonitorClient::refuse(const char* text) noexcept {
  ends_ = true;
  if (!send(kFrameFault, text, std::strlen(text)) || !pending()) {
    drop();
  }
}

void MonitorClient::read(MonitorServices& services) noexcept {
  if (head_size_ < sizeof head_) {
    if (!head() || head_size_ < sizeof head_ || !begin_frame()) {
      return;
    }
  } else if (left_ > 0 && !payload(services)) {
    return;
  }
  if (left_ == 0) {
    head_size_ = 0;
    act(services);
  }
}

// False: the connection is over, or there is no more for now.
bool MonitorClient::head() noexcept {
  const ssize_t got = ::recv(socket_.get(), head_ + head_size_, sizeof head_ - head_size_, MSG_DONTWAIT);
  if (got > 0) {
    head_size_ += static_cast<size_t>(got);
    return true;
  }
  if (got == 0 || !for_now()) {
    drop();
  }
  return false;
}

bool MonitorClient::begin_frame() noexcept {
  left_ = frame_size(head_);
  small_size_ = 0;
  constexpr char kKnown[] = {kFrameAttach, kFrameInput, kFrameClose, kFrameResize, kFrameWait};
  if (std::memchr(kKnown, head_[0], sizeof kKnown) == nullptr || left_ > kLargestFrame ||
      (head_[0] != kFrameInput && left_ > sizeof small_)) {
    refuse("this is no frame of a client of the monitor");
    return false;
  }
  return true;
}

bool MonitorClient::payload(MonitorServices& services) noexcept {
  char buffer[4096];
  const bool input = head_[0] == kFrameInput;
  const size_t room = input ? services.input_room() : sizeof small_ - small_size_;
  const size_t most = std::min({sizeof buffer, left_, room});
  if (most == 0) {
    return false;
  }
  const ssize_t got = ::recv(socket_.get(), buffer, most, MSG_DONTWAIT);
  if (got <= 0) {
    if (got == 0 || !for_now()) {
      drop();
    }
    return false;
  }
  const auto size = static_cast<size_t>(got);
  left_ -= size;
  if (input) {
    (void)services.take_input(buffer, size);
  } else {
    std::memcpy(small_ + small_size_, buffer, size);
    small_size_ += size;
  }
  return true;
}

void MonitorClient::act(MonitorServices& services) noexcept {
  const auto number = [&](size_t at) {
    return static_cast<uint16_t>(static_cast<unsigned char>(small_[at]) |
                                 static_cast<unsigned char>(small_[at + 1]) << 8);
  };
  const char terminal = services.has_terminal() ? 1 : 0;
  switch (head_[0]) {
    case kFrameAttach:
      attached_ = small_size_ > 0 ? static_cast<uint8_t>(small_[0]) : 0;
      wants_exit_ = true;
      (void)send(kFrameDone, &terminal, 1);
      return;
    case kFrameWait:
      wants_exit_ = true;
      return;
    case kFrameClose:
      services.close_input(small_size_ > 0 && small_[0] == 1);
      (void)send(kFrameDone, "", 0);
      return;
    case kFrameResize:
      if (small_size_ != sizeof small_ || !services.resize(number(0), number(2))) {
        refuse("the process has no terminal, which could be resized");
        return;
      }
      (void)send(kFrameDone, "", 0);
      return;
    default:
      return;
  }
}

}  // namespace tsrunc::launcher
