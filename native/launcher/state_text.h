#pragma once

#include "launcher/container.h"
#include "sys/array.h"
#include "wire/plan.h"

namespace tsrunc::launcher {

// The plan's header; for a half-made container one that has its ID alone. `room`: memory for it.
[[nodiscard]] wire::Header header_of(const Container& container, const char* id, sys::Array<char>& room);

// Appends the OCI state as `state` prints it.
void add_state(sys::Array<char>& out, const wire::Header& header, const Container& container);

}  // namespace tsrunc::launcher
