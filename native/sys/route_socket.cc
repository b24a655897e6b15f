#include "sys/route_socket.h"

#include <sched.h>
#include <sys/socket.h>

#include <cstring>

#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::sys {
namespace {

// Room for one datagram of a dump (netlink(7): at most 32 KiB).
constexpr size_t kDatagram = 32768;
// A dump that a change of the table has torn is asked for again.
constexpr int kTries = 16;

}  // namespace

void RouteRequest::append(const void* data, size_t size) noexcept {
  const size_t at = NLMSG_ALIGN(message()->nlmsg_len);
  if (at + size > sizeof bytes_) {
    overflown_ = true;
    return;
  }
  std::memcpy(bytes_ + at, data, size);
  message()->nlmsg_len = static_cast<uint32_t>(at + size);
}

void RouteRequest::attribute(uint16_t type, const void* data, size_t size) noexcept {
  rtattr header{};
  header.rta_type = type;
  header.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
  append(&header, sizeof header);
  append(data, size);
}

void RouteRequest::attribute(uint16_t type, const char* text) noexcept {
  attribute(type, text, std::strlen(text) + 1);
}

uint32_t RouteAttribute::u32() const noexcept {
  uint32_t value = 0;
  if (size >= sizeof value) {
    std::memcpy(&value, data, sizeof value);
  }
  return value;
}

const nlmsghdr* RouteReplies::at(size_t offset) const noexcept {
  const auto* message = reinterpret_cast<const nlmsghdr*>(bytes_.data() + offset);
  return NLMSG_OK(message, bytes_.size() - offset) ? message : nullptr;
}

const nlmsghdr* RouteReplies::first() const noexcept {
  return bytes_.empty() ? nullptr : at(0);
}

const nlmsghdr* RouteReplies::next(const nlmsghdr* message) const noexcept {
  const size_t offset = static_cast<size_t>(reinterpret_cast<const char*>(message) - bytes_.data()) +
                        NLMSG_ALIGN(message->nlmsg_len);
  return offset < bytes_.size() ? at(offset) : nullptr;
}

RouteAttribute RouteReplies::attribute(const nlmsghdr* message, size_t header, uint16_t type) noexcept {
  const size_t start = NLMSG_SPACE(header);
  if (message->nlmsg_len < start) {
    return {};
  }
  const auto* item = reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(message) + start);
  for (auto left = static_cast<int>(message->nlmsg_len - start); RTA_OK(item, left);
       item = RTA_NEXT(item, left)) {
    if ((item->rta_type & NLA_TYPE_MASK) == type) {
      return {static_cast<const char*>(RTA_DATA(item)), static_cast<size_t>(RTA_PAYLOAD(item))};
    }
  }
  return {};
}

Result<RouteSocket> RouteSocket::open() noexcept {
  RouteSocket out;
  out.fd_.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!out.fd_.valid()) {
    return fail("socket", "NETLINK_ROUTE");
  }
  // netlink(7): words for a refusal, and the request is not sent back with it. Both only make errors better.
  const int on = 1;
  (void)::setsockopt(out.fd_.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  (void)::setsockopt(out.fd_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return out;
}

Result<RouteSocket> RouteSocket::open_in(int fd) noexcept {
  Result<UniqueFd> home = open_host("/proc/self/ns/net", O_RDONLY);
  if (!home.ok()) {
    return home.failure();
  }
  if (::setns(fd, CLONE_NEWNET) < 0) {
    return fail("setns", "the container's network namespace");
  }
  Result<RouteSocket> out = open();
  if (::setns(home->get(), CLONE_NEWNET) < 0) {
    return fail("setns", "the network namespace of tsrunc");
  }
  return out;
}

Failure RouteSocket::acknowledged(const nlmsghdr* message) noexcept {
  words_[0] = 0;
  int code = 0;
  const size_t start = NLMSG_LENGTH(sizeof(nlmsgerr));
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof code)) {
    return fail(EPROTO, "recv", nullptr, nullptr);
  }
  std::memcpy(&code, NLMSG_DATA(message), sizeof code);
  const bool told = (message->nlmsg_flags & NLM_F_ACK_TLVS) != 0 && message->nlmsg_len > start;
  const RouteAttribute words =
      told ? RouteReplies::attribute(message, sizeof(nlmsgerr), NLMSGERR_ATTR_MSG) : RouteAttribute{};
  if (words) {
    Text(words_).add(words.data, ::strnlen(words.data, words.size));
  }
  return code == 0 ? kOk : fail(-code, nullptr, nullptr, words_[0] != 0 ? words_ : nullptr);
}

Failure RouteSocket::receive(RouteReplies* replies, bool dump, bool& torn) noexcept {
  static char datagram[kDatagram];
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), datagram, sizeof datagram, MSG_TRUNC);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 || static_cast<size_t>(got) > sizeof datagram) {
      return got < 0 ? fail("recv") : fail(EMSGSIZE, "recv", nullptr, nullptr);
    }
    size_t left = static_cast<size_t>(got);
    for (auto* message = reinterpret_cast<nlmsghdr*>(datagram); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != sequence_) {
        continue;
      }
      torn = torn || (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
        return acknowledged(message);
      }
      if (replies != nullptr) {
        replies->bytes_.append(reinterpret_cast<const char*>(message), NLMSG_ALIGN(message->nlmsg_len));
        if (!dump) {
          return kOk;
        }
      }
    }
  }
}

Failure RouteSocket::call(RouteRequest& request, const char* call, const char* path) noexcept {
  request.message()->nlmsg_flags |= NLM_F_ACK;
  request.message()->nlmsg_seq = ++sequence_;
  if (request.overflown()) {
    return fail(E2BIG, call, path, nullptr);
  }
  if (::send(fd_.get(), request.message(), request.message()->nlmsg_len, 0) < 0) {
    return fail(call, path);
  }
  bool torn = false;
  const Failure failure = receive(nullptr, false, torn);
  return failure ? fail(failure.code, call, path, failure.detail) : kOk;
}

Failure RouteSocket::ask(RouteRequest& request, RouteReplies& replies, const char* call,
                         const char* path) noexcept {
  const bool dump = (request.message()->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  for (int tries = 1;; ++tries) {
    replies.bytes_.clear();
    request.message()->nlmsg_seq = ++sequence_;
    if (::send(fd_.get(), request.message(), request.message()->nlmsg_len, 0) < 0) {
      return fail(call, path);
    }
    bool torn = false;
    const Failure failure = receive(&replies, dump, torn);
    if (failure || !torn || tries == kTries) {
      return failure ? fail(failure.code, call, path, failure.detail) : kOk;
    }
  }
}

}  // namespace tsrunc::sys
