// Durations as Go's time.ParseDuration reads them, which is what callers of runc write: "5s", "1m30s",
// "1.5h", "100ms".
#pragma once

#include <cstdint>

namespace tsrunc::launcher {

// False: it is none, or none above zero. `milliseconds`: at least 1.
[[nodiscard]] bool parse_duration(const char* text, int64_t& milliseconds) noexcept;

}  // namespace tsrunc::launcher
