#include "addon/planner_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "launcher/planner_wire.h"
#include "sys/descriptor_message.h"

namespace tsrunc::addon {
namespace {

using launcher::AnswersHeader;
using launcher::Greeting;
using launcher::RequestHeader;

// Of all connections; one of them may have kMostRequestBytes.
constexpr size_t kMostHeld = size_t{64} << 20;
// What most requests have room in.
constexpr size_t kFirstBytes = size_t{32} << 10;

[[nodiscard]] bool has_magic(const char* bytes) noexcept {
  return std::memcmp(bytes, launcher::kPlannerMagic, sizeof launcher::kPlannerMagic) == 0;
}

[[nodiscard]] size_t request_size(const char* bytes) noexcept {
  RequestHeader header;
  std::memcpy(&header, bytes, sizeof header);
  uint64_t size = 0;
  for (const uint32_t section : header.sizes) {
    size += section;
  }
  return size > launcher::kMostRequestBytes ? 0 : sizeof header + static_cast<size_t>(size);
}

[[nodiscard]] size_t answers_size(const char* bytes) noexcept {
  AnswersHeader header;
  std::memcpy(&header, bytes, sizeof header);
  return header.size > launcher::kMostAnswerBytes ? 0 : sizeof header + header.size;
}

}  // namespace

PlannerConnection::PlannerConnection(sys::UniqueFd socket, pid_t caller, Held& held) noexcept
    : socket_(std::move(socket)), caller_(caller), held_(held) {}

PlannerConnection::~PlannerConnection() {
  forget();
}

void PlannerConnection::forget() noexcept {
  held_.bytes -= message_.size();
  message_.clear();
  filled_ = 0;
}

bool PlannerConnection::greet(int executable) noexcept {
  Greeting greeting{};
  std::memcpy(greeting.magic, launcher::kPlannerMagic, sizeof greeting.magic);
  iovec part{&greeting, sizeof greeting};
  sys::DescriptorMessage message(&part, 1);
  if (executable >= 0) {
    message.attach(executable);
  }
  // The first bytes of a new connection find room.
  return ::sendmsg(socket_.get(), message.get(), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof greeting;
}

// By what has come, not by what the caller says will come.
bool PlannerConnection::grow() {
  const size_t size = std::max(kFirstBytes, 2 * message_.size());
  if (held_.bytes + size - message_.size() > kMostHeld) {
    return false;
  }
  held_.bytes += size - message_.size();
  message_.resize(size);
  return true;
}

size_t PlannerConnection::wanted() const noexcept {
  const size_t header = asked_ ? sizeof(AnswersHeader) : sizeof(RequestHeader);
  if (filled_ < header) {
    return header;
  }
  if (!has_magic(message_.data())) {
    return 0;
  }
  return asked_ ? answers_size(message_.data()) : request_size(message_.data());
}

PlannerConnection::Turn PlannerConnection::read() {
  // A caller that speaks before it is asked is none of ours.
  if (busy_) {
    return Turn::kOver;
  }
  for (;;) {
    if (filled_ == message_.size() && !grow()) {
      return Turn::kOver;
    }
    const ssize_t got = ::recv(socket_.get(), message_.data() + filled_, message_.size() - filled_, 0);
    if (got < 0 && errno == EAGAIN) {
      return Turn::kWaits;
    }
    if (got == 0 || (got < 0 && errno != EINTR)) {
      return Turn::kOver;
    }
    filled_ += got > 0 ? static_cast<size_t>(got) : 0;
    const size_t size = wanted();
    if (size < filled_) {
      return Turn::kOver;
    }
    if (size == filled_) {
      busy_ = true;
      return Turn::kWhole;
    }
  }
}

PlannerConnection::Turn PlannerConnection::reply(const void* bytes, size_t size, bool asks) {
  const auto* first = static_cast<const char*>(bytes);
  reply_.assign(first, first + size);
  sent_ = 0;
  asked_ = asks;
  forget();
  return write();
}

PlannerConnection::Turn PlannerConnection::write() {
  while (sent_ < reply_.size()) {
    const ssize_t sent = ::send(socket_.get(), reply_.data() + sent_, reply_.size() - sent_, MSG_NOSIGNAL);
    if (sent > 0) {
      sent_ += static_cast<size_t>(sent);
    } else if (errno == EAGAIN) {
      return Turn::kSends;
    } else if (errno != EINTR) {
      return Turn::kOver;
    }
  }
  reply_.clear();
  busy_ = !asked_;
  return asked_ ? Turn::kWaits : Turn::kOver;
}

}  // namespace tsrunc::addon
