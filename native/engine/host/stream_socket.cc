#include "engine/host/stream_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/unix_address.h"
#include "sys/descriptor_message.h"
#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr int kSeconds = 10;

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
  UnixAddress address;
  TSRUNC_TRY(make_address(path, address));
  while (::connect(socket.get(), address.get(), address.length) != 0) {
    if (errno != EINTR) {
      return errno == EAGAIN ? sys::fail(ETIMEDOUT, "connect", path, "nobody accepts the connection")
                             : sys::fail("connect", path);
    }
  }
  return socket;
}

Failure send_with_descriptor(int socket, iovec* parts, size_t count, int fd, const char* path) {
  sys::DescriptorMessage message(parts, count);
  message.attach(fd);
  while (count > 0) {
    message.set_parts(parts, count);
    const ssize_t sent = ::sendmsg(socket, message.get(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      return errno == EAGAIN ? sys::fail(ETIMEDOUT, "sendmsg", path, "nobody reads from the connection")
                             : sys::fail("sendmsg", path);
    }
    if (sent > 0) {
      advance(parts, count, static_cast<size_t>(sent));
      message.detach();
    }
  }
  return kOk;
}

}  // namespace tsrunc::engine
