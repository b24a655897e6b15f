// Seccomp profiles compiled by libseccomp (config-linux.md "Seccomp").
#pragma once

#include <linux/filter.h>

#include <vector>

#include "addon/seccomp/request.h"
#include "sys/result.h"

namespace tsrunc::addon {

using Program = std::vector<sock_filter>;

// The filter, with libseccomp's choice for architectures that are not in it (the thread is killed) and, where
// the default action denies, ENOSYS for system calls that are newer than any that the profile names. Skipped
// as every runtime does: unknown system calls (unless `fail_unknown`), rules whose action is the default one.
// Failure texts point into `request`.
[[nodiscard]] sys::Failure compile_seccomp(const SeccompRequest& request, Program& out);

}  // namespace tsrunc::addon
