// The sealed copy of the executable, made while JavaScript plans: the copy costs half a millisecond, and it
// depends on nothing that the plan says.
#pragma once

#include <string>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::addon {

// Starts to copy `path` in a thread of its own. Without threads the copy is made when it is taken.
void begin_copy(const std::string& path);

// The copy (launcher/sealed.h), waited for where it was begun, else made now. Texts of the failure point into
// `path` or static storage.
[[nodiscard]] sys::Result<sys::UniqueFd> take_copy(const std::string& path);

}  // namespace tsrunc::addon
