// The caller's terminal, while the container has one of its own behind it.
#pragma once

#include <termios.h>

namespace tsrunc::launcher {

class Terminal {
 public:
  Terminal() noexcept = default;
  ~Terminal() { restore(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // termios(3) raw mode, if standard input is a terminal: every key is the container's.
  void make_raw() noexcept;
  void restore() noexcept;
  // After a stop the shell has set its own mode.
  void make_raw_again() noexcept;

 private:
  termios saved_{};
  bool raw_ = false;
};

// Gives the container's terminal the size of the caller's, if one of 0, 1 and 2 is a terminal.
void copy_size(int master) noexcept;

}  // namespace tsrunc::launcher
