// The log that a monitor keeps of a process's output: a file of lines, and the ones that it was before.
//
//   k8s-file   "TIME stdout|stderr F|P TEXT": the Kubernetes CRI's; P: the line goes on in the next record
//   json-file  Docker's; a record without \n at its end goes on in the next one
//   raw        the bytes
//
// A file that would grow beyond its limit becomes PATH.1, PATH.1 becomes PATH.2, and so on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "launcher/monitor_order.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class MonitorLog {
 public:
  explicit MonitorLog(const MonitorLogOrder& order) noexcept;

  // What cannot be written is lost, and counted; nobody waits for a disk that is full.
  void write(bool error, const char* data, size_t size) noexcept;
  // No more will come.
  void finish() noexcept;
  [[nodiscard]] uint64_t lost() const noexcept { return lost_; }

 private:
  static constexpr size_t kPiece = 4096;
  // The bytes of a character whose end has not come yet.
  struct Carry {
    char data[4];
    size_t size = 0;
  };

  void write_lines(bool error, const char* data, size_t size) noexcept;
  void write_json(bool error, const char* data, size_t size) noexcept;
  void emit_json(bool error, const char* data, size_t size) noexcept;
  void append(const char* record, size_t size, size_t content) noexcept;
  void rotate() noexcept;

  const MonitorLogOrder& order_;
  sys::UniqueFd fd_;
  uint64_t size_ = 0;
  uint64_t lost_ = 0;
  Carry carry_[2];
  char time_[40] = {};
  char record_[6 * (kPiece + 4) + 128];  // memory only once it is used
};

}  // namespace tsrunc::launcher
