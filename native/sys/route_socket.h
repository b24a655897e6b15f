// rtnetlink(7): asking the kernel about network devices, addresses and routes of one network namespace, and
// changing them. Only what moving a device needs.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstdint>

#include "sys/array.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::sys {

// One request: a netlink header, a fixed header of the family, attributes. What does not fit makes call()
// fail.
class RouteRequest {
 public:
  template <typename Header>
  RouteRequest(uint16_t type, uint16_t flags, const Header& header) noexcept {
    message()->nlmsg_len = NLMSG_HDRLEN;
    message()->nlmsg_type = type;
    message()->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    append(&header, sizeof header);
  }
  void attribute(uint16_t type, const void* data, size_t size) noexcept;
  void attribute(uint16_t type, uint32_t value) noexcept { attribute(type, &value, sizeof value); }
  // With the NUL at its end.
  void attribute(uint16_t type, const char* text) noexcept;
  // Bytes that are attributes already.
  void append(const void* data, size_t size) noexcept;

  [[nodiscard]] nlmsghdr* message() noexcept { return reinterpret_cast<nlmsghdr*>(bytes_); }
  [[nodiscard]] bool overflown() const noexcept { return overflown_; }

 private:
  alignas(nlmsghdr) char bytes_[2048] = {};
  bool overflown_ = false;
};

// The value of an attribute; `data` nullptr: there is none.
struct RouteAttribute {
  const char* data = nullptr;
  size_t size = 0;

  [[nodiscard]] explicit operator bool() const noexcept { return data != nullptr; }
  // 0 where the attribute is missing or shorter.
  [[nodiscard]] uint32_t u32() const noexcept;
};

// Whole netlink messages behind each other.
class RouteReplies {
 public:
  // The first message, and the one behind `message`; nullptr behind the last.
  [[nodiscard]] const nlmsghdr* first() const noexcept;
  [[nodiscard]] const nlmsghdr* next(const nlmsghdr* message) const noexcept;

  // Behind the fixed header of `header` bytes.
  [[nodiscard]] static RouteAttribute attribute(const nlmsghdr* message, size_t header,
                                                uint16_t type) noexcept;

 private:
  friend class RouteSocket;
  [[nodiscard]] const nlmsghdr* at(size_t offset) const noexcept;
  Array<char> bytes_;
};

class RouteSocket {
 public:
  // In the network namespace of the caller.
  [[nodiscard]] static Result<RouteSocket> open() noexcept;
  // In the network namespace `fd`: enters it for one system call. The caller has one thread.
  [[nodiscard]] static Result<RouteSocket> open_in(int fd) noexcept;

  // Sends a request and waits for its acknowledgement. `path` names in a failure what it was about. The
  // kernel's own words, where it has some, are the failure's detail; they last until the next call.
  [[nodiscard]] Failure call(RouteRequest& request, const char* call, const char* path) noexcept;
  // The same for a question; the answers are in `replies` until the next call.
  [[nodiscard]] Failure ask(RouteRequest& request, RouteReplies& replies, const char* call,
                            const char* path) noexcept;

 private:
  [[nodiscard]] Failure receive(RouteReplies* replies, bool dump, bool& torn) noexcept;
  [[nodiscard]] Failure acknowledged(const nlmsghdr* message) noexcept;

  UniqueFd fd_;
  uint32_t sequence_ = 0;
  char words_[192] = {};
};

}  // namespace tsrunc::sys
