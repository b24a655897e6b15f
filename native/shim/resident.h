// The resident process: node with dist/shim.js, at the other end of a socket pair (its descriptor 3).
// Messages on it: u32 number of the connection, u8 kind, and by the kind
//   'F'  a frame of ttrpc                 'R'  the same, which an earlier process may have begun to work on
//   'C'  the connection is closed         'B'  u32 number of the containers that there are (from the resident
//   process)
//   'E'  a process has ended that nobody else waited for; for the connection its pid; u32 status (128 + N: by
//   signal N), u32 seconds and u32 nanoseconds since the epoch
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "shim/connection.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::shim {

inline constexpr size_t kMessageHeader = 5;

class Resident {
 public:
  // `place`: directory of the keeper, for its command line.
  [[nodiscard]] sys::Failure start(const char* place);
  // Its process has ended; the socket and what is on its way are gone.
  void ended() noexcept;

  void tell(uint32_t connection, char kind, const char* frame, size_t size);
  [[nodiscard]] bool running() const noexcept { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

  ByteQueue in;
  ByteQueue out;

 private:
  pid_t pid_ = -1;
  sys::UniqueFd socket_;
};

}  // namespace tsrunc::shim
