// capset(2) and the ambient set, shared by setCapabilities and by hooks that run with the container's
// capabilities.
#pragma once

#include <cstdint>

#include "sys/result.h"

namespace tsrunc::engine {

struct CapabilitySets {
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
  uint64_t ambient = 0;
};

// Sets of the calling process. What it may not have is left out; `missing` takes those bits (config.md
// "capabilities": a capability that cannot be granted is a warning).
[[nodiscard]] sys::Failure set_capabilities(CapabilitySets wanted, uint64_t& missing) noexcept;

}  // namespace tsrunc::engine
