// What a plan that is kept in a file holds for (kept_plans.h), beside what its entry compares itself: this
// boot of the kernel, root, systemd, the libraries, and the mounts by which planning knows how the host is
// laid out.
#pragma once

#include "sys/array.h"

namespace tsrunc::launcher {

// Appends it as a text. False: it cannot be told, or the caller is not root in the host's own namespaces: for
// nobody else are plans kept.
[[nodiscard]] bool add_kept_facts(sys::Array<char>& out);

}  // namespace tsrunc::launcher
