#include "launcher/planner_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "sys/descriptor_message.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr const char* kSocketName = "the planner's socket";
constexpr char kNoPlanner[] = "what answers there is no planner of this version";
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

// Whoever can put a socket there can make plans for this user.
[[nodiscard]] Failure check_place(int root, const char* path, uid_t self) {
  struct stat directory {};
  struct stat socket {};
  if (::fstat(root, &directory) != 0 || ::fstatat(root, kPlannerSocket, &socket, AT_SYMLINK_NOFOLLOW) != 0) {
    return sys::fail("stat", kSocketName);
  }
  if (directory.st_uid != self || (directory.st_mode & kOthersWrite) != 0) {
    return sys::fail(EPERM, "stat", path, "operation not permitted: others can write to this directory");
  }
  if (!S_ISSOCK(socket.st_mode) || socket.st_uid != self) {
    return sys::fail(EPERM, "stat", kSocketName,
                     "operation not permitted: it is no socket, or not this user's");
  }
  return kOk;
}

[[nodiscard]] Failure check_peer(int socket, uid_t self) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return sys::fail("getsockopt", kSocketName);
  }
  return peer.uid == self ? kOk
                          : sys::fail(EPERM, "getsockopt", kSocketName,
                                      "operation not permitted: another user listens there");
}

[[nodiscard]] Failure check_greeting(const Greeting& greeting) {
  return std::memcmp(greeting.magic, kPlannerMagic, sizeof kPlannerMagic) == 0
             ? kOk
             : sys::fail(EBADMSG, "recv", kSocketName, kNoPlanner);
}

// False: it is of no known form.
[[nodiscard]] bool read_header(const ReplyHeader& header, PlannerReply& out) noexcept {
  uint64_t total = 0;
  for (size_t i = 0; i < kParts; ++i) {
    out.starts[i] = total;
    total += header.sizes[i];
  }
  if (std::memcmp(header.magic, kPlannerMagic, sizeof kPlannerMagic) != 0 || header.kind < 1 ||
      header.kind > static_cast<uint32_t>(ReplyKind::kStale) || total > kMostReplyBytes) {
    return false;
  }
  out.starts[kParts] = total;
  out.kind = static_cast<ReplyKind>(header.kind);
  return true;
}

}  // namespace

Failure PlannerClient::connect(const char* root) {
  const sys::UniqueFd directory(::open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return sys::fail("open", root);
  }
  const uid_t self = ::geteuid();
  if (const Failure failure = check_place(directory.get(), root, self); failure) {
    return failure;
  }
  socket_ = sys::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.valid()) {
    return sys::fail("socket", kSocketName);
  }
  // unix(7): a path of any length by way of its directory's descriptor.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  sys::Text(address.sun_path).add(sys::FdPath(directory.get()).text).add("/").add(kPlannerSocket);
  // EAGAIN: its queue is full.
  while (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if ((errno != EAGAIN && errno != EINTR) || deadline_.over()) {
      return sys::fail("connect", kSocketName);
    }
    deadline_.pause();
  }
  return check_peer(socket_.get(), self);
}

Failure PlannerClient::wait(short events) {
  pollfd ready{socket_.get(), events, 0};
  for (;;) {
    const int count = ::poll(&ready, 1, deadline_.left());
    if (count > 0) {
      return kOk;
    }
    if (count == 0) {
      return sys::fail(ETIMEDOUT, "poll", kSocketName, "the planner does not answer in time");
    }
    if (errno != EINTR) {
      return sys::fail("poll", kSocketName);
    }
  }
}

Failure PlannerClient::send(const void* data, size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  for (size_t done = 0; done < size;) {
    const ssize_t sent = ::send(socket_.get(), bytes + done, size - done, MSG_NOSIGNAL);
    if (sent > 0) {
      done += static_cast<size_t>(sent);
    } else if (errno == EAGAIN) {
      TSRUNC_TRY(wait(POLLOUT));
    } else if (errno != EINTR) {
      return sys::fail("send", kSocketName);
    }
  }
  return kOk;
}

Failure PlannerClient::receive_greeting(int milliseconds, sys::UniqueFd& offered) {
  pollfd ready{socket_.get(), POLLIN, 0};
  const sys::Deadline deadline(milliseconds);
  int count = 0;
  do {
    count = ::poll(&ready, 1, deadline.left());
  } while (count < 0 && errno == EINTR);
  if (count == 0) {
    return sys::fail(ETIMEDOUT, "poll", kSocketName, "the planner does not greet in time");
  }
  Greeting greeting{};
  iovec part{&greeting, sizeof greeting};
  sys::DescriptorMessage message(&part, 1);
  message.make_room();
  const ssize_t got = ::recvmsg(socket_.get(), message.get(), MSG_CMSG_CLOEXEC);
  if (got < 0) {
    return sys::fail("recvmsg", kSocketName);
  }
  offered = message.take();
  if (got == 0) {
    return sys::fail(ECONNRESET, "recvmsg", kSocketName, "the planner hangs up at once");
  }
  // What comes byte by byte is no planner's.
  if (got != sizeof greeting) {
    return sys::fail(EBADMSG, "recvmsg", kSocketName, kNoPlanner);
  }
  greeted_ = true;
  return check_greeting(greeting);
}

Failure PlannerClient::receive_exactly(void* data, size_t size) {
  auto* bytes = static_cast<char*>(data);
  for (size_t done = 0; done < size;) {
    const ssize_t got = ::recv(socket_.get(), bytes + done, size - done, 0);
    if (got > 0) {
      done += static_cast<size_t>(got);
    } else if (got == 0) {
      return sys::fail(ECONNRESET, "recv", kSocketName, "the planner ended in the middle of an answer");
    } else if (errno == EAGAIN) {
      TSRUNC_TRY(wait(POLLIN));
    } else if (errno != EINTR) {
      return sys::fail("recv", kSocketName);
    }
    // One that sends a byte at a time would never make poll(2) wait.
    if (done < size && deadline_.over()) {
      return sys::fail(ETIMEDOUT, "recv", kSocketName, "the planner does not answer in time");
    }
  }
  return kOk;
}

Failure PlannerClient::receive(PlannerReply& out) {
  if (!greeted_) {
    Greeting greeting{};
    TSRUNC_TRY(receive_exactly(&greeting, sizeof greeting));
    TSRUNC_TRY(check_greeting(greeting));
    greeted_ = true;
  }
  ReplyHeader header{};
  TSRUNC_TRY(receive_exactly(&header, sizeof header));
  if (!read_header(header, out)) {
    return sys::fail(EBADMSG, "recv", kSocketName, kNoPlanner);
  }
  out.bytes.clear();
  out.bytes.resize(out.starts[kParts]);
  return receive_exactly(out.bytes.data(), out.bytes.size());
}

bool read_reply(std::string_view bytes, PlannerReply& out) noexcept {
  ReplyHeader header{};
  if (bytes.size() < sizeof header) {
    return false;
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes.remove_prefix(sizeof header);
  if (!read_header(header, out) || bytes.size() != out.starts[kParts]) {
    return false;
  }
  out.bytes.clear();
  out.bytes.append(bytes.data(), bytes.size());
  return true;
}

}  // namespace tsrunc::launcher
