// One stream of output of a process, on its way from the process to those who are to have it.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>

#include "launcher/monitor_clients.h"
#include "launcher/monitor_log.h"
#include "launcher/monitor_order.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class MonitorChannel {
 public:
  static constexpr size_t kFds = 2;

  // `type`: kFrameOutput or kFrameError.
  MonitorChannel(char type, const MonitorStream& stream) noexcept
      : type_(type), source_(stream.source), sink_(stream.sink) {}

  void want(pollfd* out) const noexcept;
  void move(const pollfd* ready, MonitorClients& clients, MonitorLog& log) noexcept;
  // The last piece for clients that could not take it.
  void retry(MonitorClients& clients) noexcept;

  // Nothing is on its way, and nothing will come.
  [[nodiscard]] bool ended() const noexcept { return !source_.valid() && !waits(); }
  // The last piece was not taken by everybody yet.
  [[nodiscard]] bool waits() const noexcept { return waits_for_sink() || waits_for_clients_; }
  [[nodiscard]] bool waits_for_sink() const noexcept { return start_ < end_; }
  // What the process has left, for all who are quick: the time is over, if there is something.
  void read_out(MonitorClients& clients, MonitorLog& log) noexcept;
  // Whoever reads there gets no more.
  void give_sink_up() noexcept;
  [[nodiscard]] int64_t last_progress() const noexcept { return progress_; }
  [[nodiscard]] uint64_t lost() const noexcept { return lost_; }

 private:
  // Whether there was something.
  bool read(MonitorClients& clients, MonitorLog& log) noexcept;
  void write() noexcept;
  // The last piece for those who wait for it, if a moment is enough; then without them.
  void settle(MonitorClients& clients) noexcept;

  char type_;
  sys::UniqueFd source_;
  sys::UniqueFd sink_;
  bool gave_up_ = false;
  bool waits_for_clients_ = false;
  uint64_t lost_ = 0;
  int64_t progress_ = 0;
  size_t start_ = 0;  // of what the sink has not got
  size_t end_ = 0;
  size_t size_ = 0;                           // of the piece
  char data_[MonitorClient::kLargestOutput];  // memory only once it is used
};

}  // namespace tsrunc::launcher
