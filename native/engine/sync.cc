#include "engine/sync.h"

#include <sys/socket.h>

#include <cstddef>
#include <utility>

#include "sys/descriptor_message.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

Failure send_bytes(int socket, const void* data, size_t size, int fd) noexcept {
  iovec part{const_cast<void*>(data), size};
  sys::DescriptorMessage message(&part, 1);
  if (fd >= 0) {
    message.attach(fd);
  }
  while (::sendmsg(socket, message.get(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return sys::fail("sendmsg");
    }
  }
  return kOk;
}

// A message without the record's bytes.
Failure send_short(int socket, MessageType type, uint32_t step, int fd) noexcept {
  const uint32_t words[2] = {static_cast<uint32_t>(type), step};
  static_assert(offsetof(Message, step) == sizeof(uint32_t));
  return send_bytes(socket, words, sizeof words, fd);
}

}  // namespace

Failure send_step(int socket, wire::Step step, int fd) noexcept {
  return send_short(socket, MessageType::kStep, static_cast<uint32_t>(step), fd);
}

Failure send_slot(int socket, MessageType type, uint32_t slot, int fd) noexcept {
  return send_short(socket, type, slot, fd);
}

Failure send_member(int socket, pid_t pid, int pidfd) noexcept {
  return send_short(socket, MessageType::kMember, static_cast<uint32_t>(pid), pidfd);
}

Failure send_message(int socket, const Message& message) noexcept {
  return send_bytes(socket, &message, sizeof message, -1);
}

Failure receive(int socket, Message& out, sys::UniqueFd* fd) noexcept {
  iovec part{&out, sizeof out};
  sys::DescriptorMessage message(&part, 1);
  message.make_room();
  ssize_t got = 0;
  while ((got = ::recvmsg(socket, message.get(), MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) {
      return sys::fail("recvmsg");
    }
  }
  if (sys::UniqueFd received = message.take(); received.valid() && fd != nullptr) {
    *fd = std::move(received);
  }
  if (got == 0) {
    return sys::fail(ECONNRESET, "recvmsg", nullptr, nullptr);
  }
  if (static_cast<size_t>(got) < 2 * sizeof(uint32_t)) {
    return sys::fail(EPROTO, "recvmsg", nullptr, nullptr);
  }
  return kOk;
}

}  // namespace tsrunc::engine
