// Addresses of AF_UNIX sockets (unix(7)).
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

struct UnixAddress {
  sockaddr_un address{};
  socklen_t length = 0;
  sys::UniqueFd directory;  // keeps a path alive that is too long for the address

  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&address); }
};

// `path`: absolute, or a name of the abstract namespace behind "@". A path of more than the 107 bytes of an
// address goes by a descriptor of its directory.
[[nodiscard]] sys::Failure make_address(const char* path, UnixAddress& out) noexcept;

}  // namespace tsrunc::engine
