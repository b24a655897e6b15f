// sendConsole: the master of the container's terminal goes to the caller's socket.
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr char kName[] = "/dev/ptmx";
constexpr int kSeconds = 10;

// unix(7): sun_path has 108 bytes. A longer path goes by a descriptor of its directory; `held` keeps that
// open.
[[nodiscard]] Failure make_address(const char* path, sockaddr_un& out, UniqueFd& held) noexcept {
  out.sun_family = AF_UNIX;
  if (std::strlen(path) < sizeof out.sun_path) {
    std::memcpy(out.sun_path, path, std::strlen(path) + 1);
    return kOk;
  }
  const char* slash = std::strrchr(path, '/');
  char directory[PATH_MAX];
  if (slash == nullptr || static_cast<size_t>(slash - path) >= sizeof directory) {
    return sys::fail(ENAMETOOLONG, "connect", path, nullptr);
  }
  std::memcpy(directory, path, static_cast<size_t>(slash - path));
  directory[slash - path] = 0;
  held = UniqueFd(::open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!held.valid()) {
    return sys::fail("open", path);
  }
  sys::Text text(out.sun_path);
  text.add(sys::FdPath(held.get()).text).add(slash);
  return text.cut() ? sys::fail(ENAMETOOLONG, "connect", path, nullptr) : kOk;
}

// One SCM_RIGHTS message with the descriptor's name as data, as the receivers of runc's console sockets
// expect it.
[[nodiscard]] Failure send_descriptor(int socket, int fd, const char* path) noexcept {
  iovec part{const_cast<char*>(kName), sizeof kName - 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return sys::fail("sendmsg", path);
    }
  }
  return kOk;
}

}  // namespace

Failure run(HostContext& context, const wire::SendConsole& op) {
  if (!context.console.valid()) {
    return sys::fail(EBADF, "sendmsg", op.socket.data, "the container has no terminal");
  }
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return sys::fail("socket", op.socket.data);
  }
  // socket(7): also bounds connect(2) to a socket whose owner does not accept.
  const timeval limit{kSeconds, 0};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
    return sys::fail("setsockopt", op.socket.data);
  }
  sockaddr_un address{};
  UniqueFd directory;
  TSRUNC_TRY(make_address(op.socket.data, address, directory));
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINTR) {
      return errno == EAGAIN
                 ? sys::fail(ETIMEDOUT, "connect", op.socket.data, "nobody accepts the connection")
                 : sys::fail("connect", op.socket.data);
    }
  }
  TSRUNC_TRY(send_descriptor(socket.get(), context.console.get(), op.socket.data));
  context.console.reset();
  return kOk;
}

}  // namespace tsrunc::engine
