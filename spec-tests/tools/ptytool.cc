// ptytool: the far end of a terminal, for tests.
//
//   ptytool listen PATH             waits on a unix socket for one pty master (the console socket protocol)
//   ptytool run ROWS COLUMNS CMD... runs CMD as the leader of a session on a new pty
//
// Both then talk lines on standard input and output:
//   out:  L (listening)   F HEX (descriptor received, with the message's data)   O HEX (output of the
//   terminal)
//         H (the other side hung up)   S ROWS COLUMNS (answer to s)   T FLAGS (answer to t: c_lflag)   X
//         STATUS (CMD ended)
//   in:   w HEX (type it)   r ROWS COLUMNS (resize)   s (ask for the size)   t (ask for the modes)   c (close
//   the terminal)

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace {

void say(const std::string& line) {
  const std::string whole = line + "\n";
  size_t done = 0;
  while (done < whole.size()) {
    const ssize_t n = write(STDOUT_FILENO, whole.data() + done, whole.size() - done);
    if (n < 0 && errno != EINTR) {
      exit(0);
    }
    done += n > 0 ? static_cast<size_t>(n) : 0;
  }
}

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "ptytool: %s: %s\n", what, strerror(errno));
  exit(1);
}

std::string to_hex(const char* data, size_t size) {
  static const char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (size_t i = 0; i < size; i++) {
    hex += kDigits[static_cast<unsigned char>(data[i]) >> 4];
    hex += kDigits[static_cast<unsigned char>(data[i]) & 15];
  }
  return hex;
}

std::string from_hex(const std::string& hex) {
  std::string data;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    data += static_cast<char>(strtol(hex.substr(i, 2).c_str(), nullptr, 16));
  }
  return data;
}

int receive_master(const char* path) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail(path);
  }
  strcpy(address.sun_path, path);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 || listen(listener, 4) < 0) {
    fail(path);
  }
  say("L");
  const int connection = accept(listener, nullptr, nullptr);
  if (connection < 0) {
    fail("accept");
  }
  char data[4096];
  iovec iov = {data, sizeof data};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 8)];
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (size < 0 || header == nullptr || header->cmsg_type != SCM_RIGHTS) {
    errno = EPROTO;
    fail("recvmsg");
  }
  int master = -1;
  memcpy(&master, CMSG_DATA(header), sizeof master);
  say("F " + to_hex(data, static_cast<size_t>(size)));
  unlink(path);
  return master;
}

// Carries out one line of commands. False: the terminal is to be closed.
bool obey(int master, const std::string& line) {
  winsize size = {};
  if (line[0] == 'w') {
    const std::string data = from_hex(line.substr(2));
    return write(master, data.data(), data.size()) >= 0;
  }
  if (line[0] == 'r') {
    sscanf(line.c_str(), "r %hu %hu", &size.ws_row, &size.ws_col);
    ioctl(master, TIOCSWINSZ, &size);
  } else if (line[0] == 's') {
    ioctl(master, TIOCGWINSZ, &size);
    say("S " + std::to_string(size.ws_row) + " " + std::to_string(size.ws_col));
  } else if (line[0] == 't') {
    termios modes = {};
    tcgetattr(master, &modes);
    say("T " + std::to_string(modes.c_lflag) + " " + std::to_string(modes.c_oflag));
  }
  return line[0] != 'c';
}

void relay(int master) {
  pollfd fds[2] = {{master, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  std::string pending;
  char buffer[8192];
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (poll(fds, 2, -1) < 0) {
      continue;
    }
    if (fds[0].revents != 0) {
      const ssize_t n = read(master, buffer, sizeof buffer);
      if (n > 0) {
        say("O " + to_hex(buffer, static_cast<size_t>(n)));
      } else {
        say("H");
        return;
      }
    }
    if (fds[1].revents == 0) {
      continue;
    }
    const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n <= 0) {
      fds[1].fd = -1;
      continue;
    }
    pending.append(buffer, static_cast<size_t>(n));
    for (size_t end = 0; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      if (!obey(master, pending.substr(0, end))) {
        return;
      }
    }
  }
}

int run_on_pty(int argc, char** argv) {
  winsize size = {};
  size.ws_row = static_cast<unsigned short>(atoi(argv[2]));
  size.ws_col = static_cast<unsigned short>(atoi(argv[3]));
  int master = -1;
  const pid_t child = forkpty(&master, nullptr, nullptr, &size);
  if (child < 0) {
    fail("forkpty");
  }
  if (child == 0) {
    argv[argc] = nullptr;
    execvp(argv[4], argv + 4);
    fail(argv[4]);
  }
  fcntl(master, F_SETFD, FD_CLOEXEC);
  relay(master);
  close(master);
  int status = 0;
  waitpid(child, &status, 0);
  say("X " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc == 3 && strcmp(argv[1], "listen") == 0) {
    const int master = receive_master(argv[2]);
    relay(master);
    return 0;
  }
  if (argc >= 5 && strcmp(argv[1], "run") == 0) {
    return run_on_pty(argc, argv);
  }
  fprintf(stderr, "usage: ptytool listen PATH | run ROWS COLUMNS CMD...\n");
  return 2;
}
