// What a process reads: from the file of --stdin and from those who attach.
#pragma once

#include <poll.h>

#include <cstddef>

#include "launcher/monitor_order.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class MonitorInput {
 public:
  static constexpr size_t kFds = 2;

  MonitorInput(const MonitorStream& stream, bool terminal, bool interactive) noexcept
      : source_(stream.source), sink_(stream.sink), terminal_(terminal), interactive_(interactive) {}

  void want(pollfd* out) const noexcept;
  void move(const pollfd* ready) noexcept;

  [[nodiscard]] size_t room() const noexcept;
  // At most room() bytes; returns how many were taken.
  [[nodiscard]] size_t take(const char* data, size_t size) noexcept;
  // Once all that is on its way is written. `tell_terminal`: as its user would, by the end-of-file key.
  void close(bool tell_terminal) noexcept;
  // The process has ended.
  void end() noexcept;

 private:
  void read() noexcept;
  void write() noexcept;
  void close_if_done() noexcept;

  sys::UniqueFd source_;
  sys::UniqueFd sink_;
  bool terminal_;
  bool interactive_;
  bool closing_ = false;
  char last_ = '\n';
  size_t start_ = 0;
  size_t end_ = 0;
  char data_[8 << 10];  // memory only once it is used
};

}  // namespace tsrunc::launcher
