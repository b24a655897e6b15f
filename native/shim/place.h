// Where a keeper lives: /run/tsrunc-shim/KEY, KEY being a hash of containerd's namespace and address. A
// socket with a path, in a directory that is root's alone: abstract ones are open to whoever shares the
// network namespace (CVE-2020-15257).
#pragma once

#include <cstddef>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::shim {

inline constexpr char kBase[] = "/run/tsrunc-shim";

struct Place {
  char directory[96];  // absolute
  char socket[104];    // sockaddr_un has room for 107 characters
  sys::UniqueFd fd;    // of the directory
};

// The place of `name_space` under the containerd at `address`; made where it is missing, and refused where
// another user could change it.
[[nodiscard]] sys::Failure open_place(const char* name_space, const char* address, Place& out);

// Locks the place until the descriptor is closed. ETIMEDOUT: another one holds it for too long.
[[nodiscard]] sys::Result<sys::UniqueFd> lock_place(const Place& place, int milliseconds);

// Whether somebody takes connections at the socket.
[[nodiscard]] bool is_served(const Place& place) noexcept;

// A listening socket at the place, which has no other.
[[nodiscard]] sys::Result<sys::UniqueFd> listen_at(const Place& place);

}  // namespace tsrunc::shim
