// notifytool: who is told that a service is ready (sd_notify(3)), for tests.
//
//   notifytool ADDRESS [hold]
//
// Listens for datagrams at ADDRESS (a path, or @NAME for an abstract one) and prints a line for each thing that happens:
// "listening", then each datagram as "N fds: TEXT" with its newlines as "|". What came with it is closed at once, or,
// with `hold`, at SIGUSR1.

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

volatile sig_atomic_t released = 0;
std::vector<int> held;

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "notifytool: %s: %s\n", what, strerror(errno));
  exit(1);
}

void say(const std::string& text) {
  puts(text.c_str());
  fflush(stdout);
}

int listen_at(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  socklen_t length = sizeof address;
  if (path[0] == '@') {
    address.sun_path[0] = 0;
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + strlen(path));
  }
  const int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0) {
    fail(path);
  }
  return listener;
}

void release() {
  for (const int fd : held) {
    close(fd);
  }
  held.clear();
}

void receive(int socket, bool hold) {
  char data[4096];
  iovec part = {data, sizeof data};
  alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) {
    return;
  }
  size_t count = 0;
  for (cmsghdr* rights = CMSG_FIRSTHDR(&message); rights != nullptr; rights = CMSG_NXTHDR(&message, rights)) {
    const size_t fds = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < fds; i++) {
      int fd = -1;
      memcpy(&fd, CMSG_DATA(rights) + i * sizeof(int), sizeof fd);
      held.push_back(fd);
    }
    count += fds;
  }
  std::string text(data, static_cast<size_t>(got));
  for (char& c : text) {
    c = c == '\n' ? '|' : c;
  }
  say(std::to_string(count) + " fds: " + text);
  if (!hold) {
    release();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: notifytool ADDRESS [hold]\n");
    return 2;
  }
  struct sigaction action = {};
  action.sa_handler = [](int) { released = 1; };
  sigaction(SIGUSR1, &action, nullptr);
  const int socket = listen_at(argv[1]);
  say("listening");
  for (;;) {
    receive(socket, argc > 2);
    if (released != 0) {
      released = 0;
      release();
    }
  }
}
