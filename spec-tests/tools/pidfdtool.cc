// pidfdtool: who is sent a pidfd (pidfd_open(2)) over a unix socket, for tests.
//
//   pidfdtool PATH
//
// Listens at PATH for one connection and one descriptor, and prints a line for each thing that happens: "listening", "pid N"
// (of the process that the descriptor stands for, as /proc/self/fdinfo says; -1 for none), "ended" when that process has.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "pidfdtool: %s: %s\n", what, strerror(errno));
  exit(1);
}

void say(const char* text) {
  puts(text);
  fflush(stdout);
}

int accept_one(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 1) != 0) {
    fail(path);
  }
  say("listening");
  const int connection = accept(listener, nullptr, nullptr);
  if (connection < 0) {
    fail("accept");
  }
  return connection;
}

int receive_descriptor(int connection) {
  char data[64];
  iovec part = {data, sizeof data};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) < 0) {
    fail("recvmsg");
  }
  const cmsghdr* rights = CMSG_FIRSTHDR(&message);
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) {
    errno = EPROTO;
    fail("no descriptor");
  }
  int fd = -1;
  memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  return fd;
}

int pid_of(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  FILE* info = fopen(path, "r");
  int pid = -1;
  for (char line[128]; info != nullptr && fgets(line, sizeof line, info) != nullptr;) {
    sscanf(line, "Pid: %d", &pid);
  }
  return pid;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: pidfdtool PATH\n");
    return 2;
  }
  const int fd = receive_descriptor(accept_one(argv[1]));
  printf("pid %d\n", pid_of(fd));
  fflush(stdout);
  pollfd ended = {fd, POLLIN, 0};
  if (poll(&ended, 1, 60000) == 1) {
    say("ended");
  }
  return 0;
}
