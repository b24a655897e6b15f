// What a planner is told of the caller's paths, which it never opens itself.
#pragma once

#include <cstddef>

#include "sys/array.h"

namespace tsrunc::launcher {

// The answers to what will be asked of a bundle, as far as it is to be seen at once, at the end of `out`.
// `directory`: the bundle's; `bundle`, `config`: where its word and its configuration begin in `out`, which
// ends with that.
void add_guessed_answers(sys::Array<char>& out, int directory, size_t bundle, size_t config);

// The answers to `questions` with their header. `limits`: the container is locked, and what its cgroups say
// may be asked. False: what only node can do, or tell the reason of.
[[nodiscard]] bool compose_answers(const char* questions, size_t size, bool limits, sys::Array<char>& out);

}  // namespace tsrunc::launcher
