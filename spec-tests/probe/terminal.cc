// The process's terminal.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "commands.h"

namespace probe {
namespace {

void put_size(Json& out) {
  winsize size = {};
  ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
  out.number("rows", size.ws_row).number("columns", size.ws_col);
}

void terminal(const Words&, Json& out) {
  out.key("isatty").begin_array();
  for (int fd = 0; fd < 3; fd++) {
    out.boolean(isatty(fd) == 1);
  }
  out.end_array();
  put_size(out);
  const char* name = ttyname(STDIN_FILENO);
  out.text("name", name == nullptr ? "" : name);
  struct stat st = {};
  fstat(STDIN_FILENO, &st);
  out.number("uid", st.st_uid).number("gid", st.st_gid).number("mode", st.st_mode & 07777);
  out.number("major", major(st.st_rdev)).number("minor", minor(st.st_rdev));
  out.boolean("controlling", tcgetsid(STDIN_FILENO) == getsid(0));
  const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
  out.number("devTtyErrno", fd < 0 ? errno : 0);
  out.number("foregroundGroup", tcgetpgrp(STDIN_FILENO)).number("pgid", getpgrp()).number("sid", getsid(0));
  struct stat console = {};
  out.number("consoleErrno", stat("/dev/console", &console) < 0 ? errno : 0);
  out.number("consoleMajor", major(console.st_rdev)).number("consoleMinor", minor(console.st_rdev));
}

// winch COUNT: a line {"ready":true,...size}, then one line for each of COUNT changes of the size.
void size_changes(const Words& words, Json& out) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  for (uint64_t i = 0; i <= parse_number(words[0]); i++) {
    Json line;
    line.begin_object().boolean("ready", true);
    put_size(line);
    line.end_object();
    print_line(line.str());
    siginfo_t info;
    if (i < parse_number(words[0])) {
      sigwaitinfo(&set, &info);
    }
  }
  out.boolean("done", true);
}

}  // namespace

const Entry kTerminalCommands[] = {
    {"terminal", 0, terminal},
    {"winch", 1, size_changes},
    {nullptr, 0, nullptr},
};

}  // namespace probe
