#include "launcher/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <initializer_list>

namespace tsrunc::launcher {

void Terminal::make_raw() noexcept {
  if (::tcgetattr(STDIN_FILENO, &saved_) != 0) {
    return;
  }
  termios raw = saved_;
  ::cfmakeraw(&raw);
  raw_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void Terminal::restore() noexcept {
  if (raw_) {
    raw_ = false;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
  }
}

void Terminal::make_raw_again() noexcept {
  if (raw_) {
    termios raw = saved_;
    ::cfmakeraw(&raw);
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
}

void copy_size(int master) noexcept {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0) {
      if (size.ws_row != 0 && size.ws_col != 0) {
        (void)::ioctl(master, TIOCSWINSZ, &size);
      }
      return;
    }
  }
}

}  // namespace tsrunc::launcher
