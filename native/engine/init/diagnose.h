// Why execve(2) failed, beyond its errno: the kernel says ENOENT for a missing program, for a missing
// interpreter and for a script with Windows line endings alike.
#pragma once

#include "engine/init/init_context.h"

namespace tsrunc::engine {

// A sentence that begins with the errno's usual words (callers search for them), in context.detail; nullptr
// if there is nothing to add. Runs in the container's root, possibly under its seccomp filter: a refused call
// only makes the answer shorter.
[[nodiscard]] const char* diagnose(InitContext& context, int code, const char* path) noexcept;

}  // namespace tsrunc::engine
