// One connection to a monitor: who attaches, resizes or waits.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>

#include "launcher/monitor_wire.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// What a client asks for.
class MonitorServices {
 public:
  // Takes as many bytes of input as there is room for; returns how many.
  [[nodiscard]] virtual size_t take_input(const char* data, size_t size) noexcept = 0;
  [[nodiscard]] virtual size_t input_room() const noexcept = 0;
  virtual void close_input(bool tell_terminal) noexcept = 0;
  [[nodiscard]] virtual bool resize(uint16_t rows, uint16_t columns) noexcept = 0;
  [[nodiscard]] virtual bool has_terminal() const noexcept = 0;

 protected:
  ~MonitorServices() = default;
};

class MonitorClient {
 public:
  static constexpr size_t kLargestOutput = 16 << 10;

  void accept(sys::UniqueFd socket) noexcept;
  void drop() noexcept;
  [[nodiscard]] bool open() const noexcept { return socket_.valid(); }

  [[nodiscard]] pollfd want(const MonitorServices& services) const noexcept;
  void move(short events, MonitorServices& services) noexcept;

  [[nodiscard]] bool sees(char type) const noexcept;
  // It sees no more.
  void hide() noexcept { attached_ = 0; }
  // False: it has not taken what was sent before. Then nothing is sent.
  [[nodiscard]] bool send(char type, const char* data, size_t size) noexcept;
  // Whether it waits for the exit, and was not told yet.
  [[nodiscard]] bool wants_exit() const noexcept { return open() && wants_exit_; }
  void told_exit() noexcept { wants_exit_ = false; }
  // It does not read, for so long.
  [[nodiscard]] bool stuck(int64_t now, int64_t milliseconds) const noexcept;
  [[nodiscard]] bool pending() const noexcept { return start_ < end_; }

 private:
  void read(MonitorServices& services) noexcept;
  [[nodiscard]] bool head() noexcept;
  [[nodiscard]] bool begin_frame() noexcept;
  [[nodiscard]] bool payload(MonitorServices& services) noexcept;
  void act(MonitorServices& services) noexcept;
  void refuse(const char* text) noexcept;
  void flush() noexcept;

  sys::UniqueFd socket_;
  uint8_t attached_ = 0;
  bool wants_exit_ = false;
  bool ends_ = false;  // once the rest is written
  char head_[kFrameHead] = {};
  size_t head_size_ = 0;
  size_t left_ = 0;  // of the payload
  char small_[4] = {};
  size_t small_size_ = 0;
  int64_t since_ = 0;  // when it last took something
  size_t start_ = 0;
  size_t end_ = 0;
  char rest_[kFrameHead + kLargestOutput];  // of a frame that went out in part; memory only once it is used
};

}  // namespace tsrunc::launcher
