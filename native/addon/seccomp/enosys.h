// ENOSYS for system calls that are newer than a profile.
#pragma once

#include "addon/seccomp/compile.h"

namespace tsrunc::addon {

// Instructions to put before the filter, or none. A C library that tries a new system call first falls back
// to the old one only on ENOSYS; a profile written before that system call existed answers EPERM (or kills)
// and breaks it. So a number above every number that the profile names, per architecture, is answered with
// ENOSYS. Not for profiles whose default action lets the system call through.
[[nodiscard]] Program enosys_prologue(const SeccompRequest& request);

}  // namespace tsrunc::addon
