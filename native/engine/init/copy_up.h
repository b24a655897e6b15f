// The option tmpcopyup: a new tmpfs begins with what the directory that it will cover holds.
#pragma once

#include "engine/init/init_context.h"
#include "sys/result.h"

namespace tsrunc::engine {

// Copies files, directories, links, devices, fifos with owner, mode and times from the container's directory
// `path` into the detached mount `target`. Sockets are left out, as a copy of one is of no use.
[[nodiscard]] sys::Failure copy_up(InitContext& context, const char* path, int target) noexcept;

}  // namespace tsrunc::engine
