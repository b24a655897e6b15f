// The verbs' side of a monitor: finding it by the container's ID, and talking to it.
#pragma once

#include "engine/monitor_files.h"
#include "launcher/arguments.h"
#include "launcher/container.h"
#include "launcher/log.h"
#include "launcher/monitor_exit.h"
#include "launcher/monitor_wire.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

struct Monitored {
  Container container;
  sys::UniqueFd directory;  // of the monitor; not valid: there never was one
  engine::MonitorPids pids;

  [[nodiscard]] bool any() const noexcept { return directory.valid(); }
};

// The container, and the monitor of its first process or of that of --exec-id. False: it was logged why not.
[[nodiscard]] bool open_monitored(const Arguments& arguments, Logger& log, Monitored& out);

// A connection to a monitor.
class MonitorCall {
 public:
  // ENOENT, ECONNREFUSED: it does not listen any more.
  [[nodiscard]] sys::Failure connect(int directory);
  [[nodiscard]] sys::Failure send(char type, const char* data, size_t size) noexcept;
  // Waits for one frame. EPIPE: the monitor has closed the connection. What it says in a fault is the
  // failure's detail.
  [[nodiscard]] sys::Failure receive();

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] char type() const noexcept { return type_; }
  [[nodiscard]] const char* data() const noexcept { return data_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  [[nodiscard]] sys::Failure read(char* data, size_t size) noexcept;

  sys::UniqueFd socket_;
  char type_ = 0;
  size_t size_ = 0;
  char data_[kLargestFrame + 1];
};

}  // namespace tsrunc::launcher
