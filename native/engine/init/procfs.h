// Files of the process itself in the host's procfs, which is at /proc until init enters its root.
#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

// Opens a directory of /proc, as in "sys" or "self/attr", O_PATH. Proven to be in a procfs of which /proc is
// the root, with nothing mounted over it on the way: what is written beneath cannot be taken by somebody
// else's files (CVE-2019-16884, CVE-2025-52881). Never kept: the descriptor means the process that opened it.
[[nodiscard]] sys::Result<sys::UniqueFd> open_in_proc(const char* directory) noexcept;

// Opens `path` beneath it for writing and writes once. Links and mounts on the way are refused. `shown`: the
// path in an error.
[[nodiscard]] sys::Failure write_beneath(int directory, const char* path, const char* text, size_t size,
                                         const char* shown) noexcept;

}  // namespace tsrunc::engine
