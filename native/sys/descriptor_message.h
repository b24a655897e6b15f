// A message of a unix socket that carries a descriptor, or may (unix(7) SCM_RIGHTS).
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstring>

#include "sys/unique_fd.h"

namespace tsrunc::sys {

// For sendmsg(2) and recvmsg(2). Points into itself, and at the caller's parts.
class DescriptorMessage {
 public:
  DescriptorMessage(iovec* parts, size_t count) noexcept { set_parts(parts, count); }
  DescriptorMessage(const DescriptorMessage&) = delete;
  DescriptorMessage& operator=(const DescriptorMessage&) = delete;
  DescriptorMessage(DescriptorMessage&&) = delete;
  DescriptorMessage& operator=(DescriptorMessage&&) = delete;
  ~DescriptorMessage() = default;

  void set_parts(iovec* parts, size_t count) noexcept {
    header_.msg_iov = parts;
    header_.msg_iovlen = count;
  }

  // Sends `fd` with the first of the bytes.
  void attach(int fd) noexcept {
    make_room();
    cmsghdr* rights = CMSG_FIRSTHDR(&header_);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }

  // It was sent: further bytes go without.
  void detach() noexcept {
    header_.msg_control = nullptr;
    header_.msg_controllen = 0;
  }

  // Before recvmsg(2), which needs MSG_CMSG_CLOEXEC.
  void make_room() noexcept {
    header_.msg_control = control_;
    header_.msg_controllen = sizeof control_;
  }

  // The descriptor that came, the caller's from now on; invalid if none did.
  [[nodiscard]] UniqueFd take() noexcept {
    const cmsghdr* rights = CMSG_FIRSTHDR(&header_);
    int fd = -1;
    if (rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(sizeof fd)) {
      std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    }
    return UniqueFd(fd);
  }

  [[nodiscard]] msghdr* get() noexcept { return &header_; }

 private:
  msghdr header_{};
  alignas(cmsghdr) char control_[CMSG_SPACE(sizeof(int))] = {};
};

}  // namespace tsrunc::sys
