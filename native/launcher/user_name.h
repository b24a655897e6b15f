#pragma once

#include <sys/types.h>

#include "sys/array.h"

namespace tsrunc::launcher {

// Appends the user's name, or "#UID" if there is none, as runc has it. /etc/passwd (passwd(5)) by itself: NSS
// would load libraries into a static executable.
void add_user_name(sys::Array<char>& out, uid_t uid);

}  // namespace tsrunc::launcher
