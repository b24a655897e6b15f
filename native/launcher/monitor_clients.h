// All connections to a monitor, and the socket where they come in.
#pragma once

#include <poll.h>

#include "launcher/monitor_client.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class MonitorClients {
 public:
  static constexpr size_t kMost = 24;
  static constexpr size_t kFds = 1 + kMost;

  // `directory` has the socket.
  MonitorClients(sys::UniqueFd listener, int directory) noexcept
      : listener_(std::move(listener)), directory_(directory) {}

  void want(pollfd* out, const MonitorServices& services) const noexcept;
  void move(const pollfd* ready, MonitorServices& services) noexcept;

  // Output for all who see it. Those who have not taken the last piece get this one later, by resend().
  // False: somebody has to.
  [[nodiscard]] bool send(char type, const char* data, size_t size) noexcept;
  [[nodiscard]] bool resend(char type, const char* data, size_t size) noexcept;
  // Those who take nothing for so long see no more.
  void drop_stuck(int64_t milliseconds) noexcept;

  // Those who have not got the last piece of this type see no more, and are told the exit all the same.
  void hide_from_owed(char type) noexcept;

  // Tells the exit to all who wait for it and can take it.
  void tell_exit(const char* line, size_t size) noexcept;
  // Nobody comes any more; who has come is still served.
  void close_door() noexcept;
  [[nodiscard]] bool none() const noexcept;

 private:
  void accept_all() noexcept;

  sys::UniqueFd listener_;
  int directory_;
  MonitorClient clients_[kMost];
  uint32_t owed_[2] = {};  // who has not got the piece of output, of errors: one bit each
};

}  // namespace tsrunc::launcher
