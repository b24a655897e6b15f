#include "launcher/monitor_clients.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include <utility>

#include "sys/clock.h"

namespace tsrunc::launcher {
namespace {

[[nodiscard]] size_t row(char type) noexcept {
  return type == kFrameOutput ? 0 : 1;
}

}  // namespace

void MonitorClients::want(pollfd* out, const MonitorServices& services) const noexcept {
  out[0] = {listener_.get(), POLLIN, 0};
  for (size_t i = 0; i < kMost; ++i) {
    out[1 + i] = clients_[i].open() ? clients_[i].want(services) : pollfd{-1, 0, 0};
  }
}

void MonitorClients::move(const pollfd* ready, MonitorServices& services) noexcept {
  for (size_t i = 0; i < kMost; ++i) {
    if (ready[1 + i].revents != 0) {
      clients_[i].move(ready[1 + i].revents, services);
    }
  }
  if (ready[0].revents != 0) {
    accept_all();
  }
}

void MonitorClients::accept_all() noexcept {
  while (listener_.valid()) {
    sys::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) {
      return;
    }
    size_t at = 0;
    while (at < kMost && clients_[at].open()) {
      ++at;
    }
    if (at < kMost) {
      owed_[0] &= ~(1U << at);
      owed_[1] &= ~(1U << at);
      clients_[at].accept(std::move(socket));
      continue;
    }
    constexpr char kText[] = "the monitor has as many clients as it serves";
    char frame[kFrameHead + sizeof kText - 1];
    char head[kFrameHead];
    put_frame_head(kFrameFault, sizeof kText - 1, head);
    std::memcpy(frame, head, sizeof head);
    std::memcpy(frame + sizeof head, kText, sizeof kText - 1);
    (void)::send(socket.get(), frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

bool MonitorClients::send(char type, const char* data, size_t size) noexcept {
  for (size_t i = 0; i < kMost; ++i) {
    if (clients_[i].sees(type)) {
      owed_[row(type)] |= 1U << i;
    }
  }
  return resend(type, data, size);
}

bool MonitorClients::resend(char type, const char* data, size_t size) noexcept {
  uint32_t& owed = owed_[row(type)];
  for (size_t i = 0; owed != 0 && i < kMost; ++i) {
    if ((owed >> i & 1) != 0 && clients_[i].send(type, data, size)) {
      owed &= ~(1U << i);
    }
  }
  return owed == 0;
}

void MonitorClients::drop_stuck(int64_t milliseconds) noexcept {
  const int64_t now = sys::monotonic_ms();
  for (size_t i = 0; i < kMost; ++i) {
    const bool waited_for = ((owed_[0] | owed_[1]) >> i & 1) != 0;
    if (waited_for && clients_[i].stuck(now, milliseconds)) {
      clients_[i].drop();
    }
  }
}

void MonitorClients::hide_from_owed(char type) noexcept {
  uint32_t& owed = owed_[row(type)];
  for (size_t i = 0; i < kMost; ++i) {
    if ((owed >> i & 1) != 0) {
      clients_[i].hide();
    }
  }
  owed = 0;
}

void MonitorClients::tell_exit(const char* line, size_t size) noexcept {
  for (MonitorClient& client : clients_) {
    if (client.wants_exit() && !client.pending() && client.send(kFrameExit, line, size)) {
      client.told_exit();
    }
  }
}

void MonitorClients::close_door() noexcept {
  // In this order: who finds the socket is served.
  (void)::unlinkat(directory_, "socket", 0);
  accept_all();
  listener_.reset();
}

bool MonitorClients::none() const noexcept {
  for (const MonitorClient& client : clients_) {
    if (client.open()) {
      return false;
    }
  }
  return true;
}

}  // namespace tsrunc::launcher
