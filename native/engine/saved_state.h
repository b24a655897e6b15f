// The file `state` as text. It holds the same lines twice, each time with their checksum: verbs refuse a file
// that is not exactly that, and delete --force still finds the container's process by the copy that is whole.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/state_dir.h"
#include "sys/text.h"

namespace tsrunc::engine {

inline constexpr size_t kLargestStateText = 1024;

void write_state_text(sys::Text& out, const SavedState& state) noexcept;

enum class Copies : uint8_t { kBoth, kOne, kNone };

// `out`: what a whole copy says, otherwise as it was. `at`, unless both are whole: the first byte that is not
// what was written, as far as that can be told.
[[nodiscard]] Copies read_state_text(const char* text, size_t size, SavedState& out, size_t& at) noexcept;

}  // namespace tsrunc::engine
