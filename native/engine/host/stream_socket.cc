#include "engine/host/stream_socket.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

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

// Takes what was sent off the parts.
void advance(iovec*& parts, size_t& count, size_t sent) noexcept {
  while (count > 0 && sent >= parts->iov_len) {
    sent -= parts->iov_len;
    ++parts;
    --count;
  }
  if (count > 0) {
    parts->iov_base = static_cast<char*>(parts->iov_base) + sent;
    parts->iov_len -= sent;
  }
}

}  // namespace

sys::Result<UniqueFd> connect_stream(const char* path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return sys::fail("socket", path);
  }
  // socket(7): also bounds connect(2) to a socket whose owner does not accept.
  const timeval limit{kSeconds, 0};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
    return sys::fail("setsockopt", path);
  }
  sockaddr_un address{};
  UniqueFd directory;
  TSRUNC_TRY(make_address(path, address, directory));
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINTR) {
      return errno == EAGAIN ? sys::fail(ETIMEDOUT, "connect", path, "nobody accepts the connection")
                             : sys::fail("connect", path);
    }
  }
  return socket;
}

Failure send_with_descriptor(int socket, iovec* parts, size_t count, int fd, const char* path) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  while (count > 0) {
    message.msg_iov = parts;
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      return errno == EAGAIN ? sys::fail(ETIMEDOUT, "sendmsg", path, "nobody reads from the connection")
                             : sys::fail("sendmsg", path);
    }
    if (sent > 0) {
      advance(parts, count, static_cast<size_t>(sent));
      message.msg_control = nullptr;
      message.msg_controllen = 0;
    }
  }
  return kOk;
}

}  // namespace tsrunc::engine
