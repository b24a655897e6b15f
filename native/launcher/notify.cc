#include "launcher/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstring>

#include "engine/host/stream_socket.h"
#include "engine/unix_address.h"
#include "launcher/describe.h"
#include "sys/clock.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr char kName[] = "notify.sock";
constexpr int kSendSeconds = 10;
constexpr int kBarrierMilliseconds = 30000;  // as runc

[[nodiscard]] UniqueFd datagram_socket() noexcept {
  return UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

[[nodiscard]] Failure connect_to(const char* path, UniqueFd& out) noexcept {
  if (*path != '/' && *path != '@') {
    return sys::fail(EINVAL, "connect", path, "neither an absolute path nor an abstract name (\"@NAME\")");
  }
  engine::UnixAddress address;
  TSRUNC_TRY(engine::make_address(path, address));
  out = datagram_socket();
  if (!out.valid()) {
    return sys::fail("socket", path);
  }
  // Unlike the other: a caller that is busy is waited for.
  const timeval limit{kSendSeconds, 0};
  if (::fcntl(out.get(), F_SETFL, 0) != 0 ||
      ::setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
    return sys::fail("setsockopt", path);
  }
  return ::connect(out.get(), address.get(), address.length) == 0 ? kOk : sys::fail("connect", path);
}

[[nodiscard]] Failure bind_in(int state, UniqueFd& out) noexcept {
  const UniqueFd directory(::openat(state, "notify", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) {
    return errno == ENOENT
               ? sys::fail(ENOENT, "open", "notify",
                           "the container was created without NOTIFY_SOCKET, so its program cannot say "
                           "that it is ready: create it with NOTIFY_SOCKET, or start it without")
               : sys::fail("open", "notify");
  }
  // Of a start that was killed before it started anything.
  if (::unlinkat(directory.get(), kName, 0) != 0 && errno != ENOENT) {
    return sys::fail("unlink", kName);
  }
  char path[64];
  sys::Text(path).add(sys::FdPath(directory.get()).text).add("/").add(kName);
  engine::UnixAddress address;
  TSRUNC_TRY(engine::make_address(path, address));
  UniqueFd socket = datagram_socket();
  if (!socket.valid() || ::bind(socket.get(), address.get(), address.length) != 0) {
    return sys::fail("bind", kName);
  }
  // Whatever user the program has.
  if (::fchmodat(directory.get(), kName, 0777, 0) != 0) {
    return sys::fail("chmod", kName);
  }
  out = std::move(socket);
  return kOk;
}

[[nodiscard]] bool says_ready(const char* text, size_t size) noexcept {
  constexpr char kReady[] = "READY=1";
  constexpr size_t kLength = sizeof kReady - 1;
  for (size_t at = 0; at < size;) {
    const void* newline = std::memchr(text + at, '\n', size - at);
    const size_t end =
        newline == nullptr ? size : static_cast<size_t>(static_cast<const char*>(newline) - text);
    if (end - at == kLength && std::memcmp(text + at, kReady, kLength) == 0) {
      return true;
    }
    at = end + 1;
  }
  return false;
}

}  // namespace

Failure Notify::open(const engine::StateDir& state, const char* host) noexcept {
  if (host == nullptr || *host == 0) {
    return kOk;
  }
  host_ = host;
  TSRUNC_TRY(connect_to(host, outer_));
  return bind_in(state.fd(), inner_);
}

// All that has come. Descriptors that come with it are not taken.
bool Notify::receive_ready() noexcept {
  char text[4096];
  for (;;) {
    const ssize_t got = ::recv(inner_.get(), text, sizeof text, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return false;
    }
    if (says_ready(text, static_cast<size_t>(got))) {
      return true;
    }
  }
}

Failure Notify::tell(const char* text) noexcept {
  while (::send(outer_.get(), text, std::strlen(text), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return errno == EAGAIN ? sys::fail(ETIMEDOUT, "send", host_, "nobody reads from the socket")
                             : sys::fail("send", host_);
    }
  }
  return kOk;
}

// sd_notify_barrier(3): whoever has read everything before closes the descriptor.
Failure Notify::barrier(Logger& log) noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return sys::fail("pipe");
  }
  const UniqueFd reader(ends[0]);
  {
    const UniqueFd writer(ends[1]);
    char text[] = "BARRIER=1";
    iovec part{text, sizeof text - 1};
    TSRUNC_TRY(engine::send_with_descriptor(outer_.get(), &part, 1, writer.get(), host_));
  }
  const sys::Deadline deadline(kBarrierMilliseconds);
  pollfd closed{reader.get(), 0, 0};
  while (::poll(&closed, 1, deadline.left()) <= 0) {
    if (deadline.over()) {
      log.warn("NOTIFY_SOCKET: nobody has answered BARRIER=1 for 30 seconds");
      return kOk;
    }
  }
  return kOk;
}

Failure Notify::await_ready(const engine::HostContext& context, Logger& log) noexcept {
  bool ended = false;
  while (!receive_ready()) {
    if (ended) {
      return kOk;
    }
    pollfd fds[] = {{inner_.get(), POLLIN, 0}, {context.init_pidfd.get(), POLLIN, 0}};
    (void)::poll(fds, 2, -1);
    ended = fds[1].revents != 0;
  }
  TSRUNC_TRY(tell("READY=1\n"));
  char pid[40];
  TSRUNC_TRY(
      tell(sys::Text(pid).add("MAINPID=").add(static_cast<uint64_t>(context.init.pid)).add("\n").c_str()));
  return barrier(log);
}

int Notify::attend(const engine::HostContext& context, Logger& log) noexcept {
  if (!active()) {
    return 0;
  }
  (void)::flock(context.state.fd(), LOCK_UN);
  const Failure failure = await_ready(context, log);
  if (failure) {
    log.error(Sentence("NOTIFY_SOCKET", failure).text);
  }
  return failure ? 1 : 0;
}

Failure Notify::take() noexcept {
  if (!receive_ready()) {
    return kOk;
  }
  const Failure failure = tell("READY=1\n");
  inner_.reset();
  return failure;
}

}  // namespace tsrunc::launcher
