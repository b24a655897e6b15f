// When a container was created, as its state tells it.
#pragma once

#include <cstddef>

namespace tsrunc::engine {

// Now, as RFC 3339 with nanoseconds, UTC, as the peers write it.
void format_now(char* out, size_t size);

}  // namespace tsrunc::engine
