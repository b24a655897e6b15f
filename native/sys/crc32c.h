// CRC-32C (RFC 3720, appendix B.4): tells that saved bytes are not those that were written. It finds every
// flipped bit and every short file; it is no defence against somebody who means to deceive.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tsrunc::sys {

[[nodiscard]] uint32_t crc32c(const void* data, size_t size) noexcept;

// The same without the processor's own instruction.
[[nodiscard]] uint32_t crc32c_by_table(const void* data, size_t size) noexcept;

}  // namespace tsrunc::sys
