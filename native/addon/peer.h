// Who is at the other end of a socket.
#pragma once

#include <sys/types.h>

namespace tsrunc::addon {

// The process that connected `socket` (SO_PEERCRED), if it sees the host as this one does: the same user and
// group, mount, user, pid and cgroup namespaces and root directory. Otherwise 0: what this process finds out
// of files would not be what that one finds.
[[nodiscard]] pid_t fellow(int socket);

}  // namespace tsrunc::addon
