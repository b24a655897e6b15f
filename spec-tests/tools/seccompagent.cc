// seccompagent: receives seccomp listeners, as an agent does, and answers their notifications.
//
//   seccompagent PATH [NUMBER=ERRNO...]   listens on a unix stream socket for container process states
//   seccompagent PATH silent=COUNT        the same, but only the first COUNT notifications are answered
//   seccompagent PATH deaf                listens, accepts nothing, and its queue of connections is full
//
// A notified system call goes on, unless its NUMBER is among the arguments: then it fails with ERRNO, or, for 0, returns 0
// without having been made. Prints lines:
//   L                      listening
//   C                      a connection was accepted
//   M FIRST ALL HEX        its end: descriptors that came with the first bytes, with all of them, and the bytes
//   N NUMBER PID ARG0      a notification was received
//   H                      a listener hung up: no process is under its filter any more

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

std::map<int, int> g_answers;

struct Connection {
  int fd;
  bool begun;
  size_t first;
  size_t received;
  std::string data;
};

std::vector<Connection> g_connections;
std::vector<int> g_listeners;

void say(const std::string& line) {
  const std::string whole = line + "\n";
  if (write(STDOUT_FILENO, whole.data(), whole.size()) < 0) {
    exit(0);
  }
}

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "seccompagent: %s: %s\n", what, strerror(errno));
  exit(1);
}

std::string to_hex(const std::string& data) {
  static const char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : data) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

int g_left = -1;  // notifications that are answered still; -1: all

int listen_at(const char* path, int backlog) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail(path);
  }
  strcpy(address.sun_path, path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 || listen(fd, backlog) < 0) {
    fail(path);
  }
  return fd;
}

// unix(7): a connect(2) waits as long as the queue is full.
void fill(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, path);
  for (;;) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
      fail(path);
    }
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
      close(fd);
      return;
    }
  }
}

void take_descriptors(Connection& connection, msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
      const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < count; i++) {
        int fd = -1;
        memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
        connection.received++;
        g_listeners.push_back(fd);
      }
    }
  }
  if (!connection.begun) {
    connection.begun = true;
    connection.first = connection.received;
  }
}

// False at the end of the connection. One byte at first, so that what comes with later bytes is told apart.
bool receive(Connection& connection) {
  char data[65536];
  iovec part = {data, connection.begun ? sizeof data : 1};
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t n = recvmsg(connection.fd, &message, MSG_CMSG_CLOEXEC);
  if (n <= 0) {
    return false;
  }
  take_descriptors(connection, message);
  connection.data.append(data, static_cast<size_t>(n));
  return true;
}

void finish(Connection& connection) {
  say("M " + std::to_string(connection.first) + " " + std::to_string(connection.received) + " " +
      to_hex(connection.data));
  close(connection.fd);
}

// seccomp_unotify(2).
void answer(int listener) {
  seccomp_notif call = {};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) {
    return;  // the process was killed meanwhile
  }
  say("N " + std::to_string(call.data.nr) + " " + std::to_string(call.pid) + " " +
      std::to_string(call.data.args[0]));
  if (g_left == 0) {
    return;
  }
  g_left -= g_left > 0 ? 1 : 0;
  seccomp_notif_resp response = {};
  response.id = call.id;
  const auto wanted = g_answers.find(call.data.nr);
  if (wanted == g_answers.end()) {
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    response.error = -wanted->second;
  }
  (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void serve(int server) {
  std::vector<pollfd> polled = {{server, POLLIN, 0}};
  for (const Connection& connection : g_connections) {
    polled.push_back({connection.fd, POLLIN, 0});
  }
  for (const int listener : g_listeners) {
    polled.push_back({listener, POLLIN, 0});
  }
  const size_t connections = g_connections.size();
  if (poll(polled.data(), polled.size(), -1) < 0) {
    return;
  }
  for (size_t i = polled.size(); i-- > 1 + connections;) {
    if ((polled[i].revents & POLLIN) != 0) {
      answer(polled[i].fd);
    } else if (polled[i].revents != 0) {
      say("H");
      close(polled[i].fd);
      g_listeners.erase(g_listeners.begin() + static_cast<long>(i - 1 - connections));
    }
  }
  for (size_t i = connections; i-- > 0;) {
    if (polled[1 + i].revents != 0 && !receive(g_connections[i])) {
      finish(g_connections[i]);
      g_connections.erase(g_connections.begin() + static_cast<long>(i));
    }
  }
  if (polled[0].revents != 0) {
    const int fd = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      say("C");
      g_connections.push_back({fd, false, 0, 0, {}});
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  if (argc < 2) {
    fprintf(stderr, "usage: seccompagent PATH [NUMBER=ERRNO...]\n");
    return 2;
  }
  for (int i = 2; i < argc; i++) {
    int number = 0;
    int error = 0;
    if (sscanf(argv[i], "%d=%d", &number, &error) == 2) {
      g_answers[number] = error;
    }
  }
  const bool deaf = argc > 2 && strcmp(argv[2], "deaf") == 0;
  if (argc > 2 && sscanf(argv[2], "silent=%d", &g_left) != 1) {
    g_left = -1;
  }
  const int server = listen_at(argv[1], deaf ? 0 : 8);
  if (deaf) {
    fill(argv[1]);
  }
  say("L");
  while (deaf) {
    pause();
  }
  for (;;) {
    serve(server);
  }
}
