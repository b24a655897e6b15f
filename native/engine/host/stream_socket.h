// Connections to AF_UNIX stream sockets of the caller, to which descriptors of the container are given.
#pragma once

#include <sys/uio.h>

#include <cstddef>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

// Connects to the socket at `path` in the runtime's mount namespace, however long the path is. Every later
// wait ends after some seconds: ETIMEDOUT where nobody accepts, EAGAIN where nobody reads. `path` must
// outlive the failure.
[[nodiscard]] sys::Result<sys::UniqueFd> connect_stream(const char* path);

// All of the bytes, the descriptor with the first of them (SCM_RIGHTS). Changes `parts`.
[[nodiscard]] sys::Failure send_with_descriptor(int socket, iovec* parts, size_t count, int fd,
                                                const char* path);

}  // namespace tsrunc::engine
