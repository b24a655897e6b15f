// Reading the log that a monitor keeps (monitor_log.h).
#pragma once

#include <limits.h>
#include <sys/types.h>

#include <cstdint>

#include "launcher/monitor_order.h"
#include "sys/array.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// Where the log is: the file `log` in the monitor's directory.
struct LogPlace {
  LogDriver driver = LogDriver::kNone;
  uint32_t files_max = 1;
  char path[PATH_MAX] = {};
};
[[nodiscard]] sys::Failure save_log_place(int directory, const MonitorLogOrder& order);
// ENOENT: no log is kept.
[[nodiscard]] sys::Failure load_log_place(int directory, LogPlace& out);

// All files of a log, the oldest first, as the one text that they are.
class LogReader {
 public:
  LogReader(const LogPlace& place, bool times) noexcept : place_(place), times_(times) {}

  // The lines that are not to be printed.
  void skip(uint64_t lines) noexcept { skip_ = lines; }
  // Prints what there is and was not printed yet, to stdout and stderr.
  [[nodiscard]] sys::Failure print();
  [[nodiscard]] sys::Failure count(uint64_t& lines);

 private:
  [[nodiscard]] sys::Failure advance(bool& more);
  [[nodiscard]] bool open_number(uint32_t number);
  [[nodiscard]] sys::Failure read_rest();
  [[nodiscard]] sys::Failure take_record(char* record, size_t size);
  [[nodiscard]] sys::Failure put(bool error, const char* time, const char* text, size_t size);

  const LogPlace& place_;
  bool times_;
  bool counts_ = false;
  uint64_t skip_ = 0;
  uint64_t lines_ = 0;
  sys::UniqueFd fd_;
  bool opened_ = false;
  bool begins_[2] = {true, true};  // a line of stdout, of stderr
  sys::Array<char> pending_;
};

}  // namespace tsrunc::launcher
