// A CRC-32C as the eight digits that stand in files of text.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/crc32c.h"

namespace tsrunc::sys {

struct ChecksumText {
  char text[8];

  ChecksumText(const void* data, size_t size) noexcept {
    uint32_t rest = crc32c(data, size);
    for (size_t i = sizeof text; i > 0; --i, rest >>= 4) {
      text[i - 1] = "0123456789abcdef"[rest & 15];
    }
  }
};

}  // namespace tsrunc::sys
