#include "sys/crc32c.h"

#if __has_include(<sys/platform/x86.h>)
#define _Bool bool  // a header of C's
#include <sys/platform/x86.h>
#undef _Bool
#endif

#include <array>
#include <cstring>

namespace tsrunc::sys {
namespace {

constexpr uint32_t kReversedPolynomial = 0x82f63b78;

[[nodiscard]] constexpr std::array<uint32_t, 256> make_table() noexcept {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) {
      rest = (rest >> 1) ^ ((rest & 1) != 0 ? kReversedPolynomial : 0);
    }
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

#if defined(__x86_64__)
// Eight bytes in three cycles: a plan of 30 kB takes some microseconds, by table a hundred.
__attribute__((target("sse4.2"))) uint32_t by_instruction(const uint8_t* data, size_t size) noexcept {
  uint64_t wide = 0xffffffff;
  for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), data += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  auto rest = static_cast<uint32_t>(wide);
  for (; size > 0; --size, ++data) {
    rest = __builtin_ia32_crc32qi(rest, *data);
  }
  return ~rest;
}

// glibc knows it since it began. libgcc would ask the processor anew in each process, ten times before main:
// a virtual machine leaves to its host for each (6.6 microseconds on one).
[[nodiscard]] bool has_instruction() noexcept {
#if __has_include(<sys/platform/x86.h>)
  return x86_cpu_active(x86_cpu_SSE4_2);
#else
  return __builtin_cpu_supports("sse4.2") != 0;
#endif
}
#endif

}  // namespace

uint32_t crc32c_by_table(const void* data, size_t size) noexcept {
  const auto* bytes = static_cast<const uint8_t*>(data);
  uint32_t rest = 0xffffffff;
  for (size_t i = 0; i < size; ++i) {
    rest = (rest >> 8) ^ kTable[(rest ^ bytes[i]) & 0xff];
  }
  return ~rest;
}

uint32_t crc32c(const void* data, size_t size) noexcept {
#if defined(__x86_64__)
  if (has_instruction()) {
    return by_instruction(static_cast<const uint8_t*>(data), size);
  }
#endif
  return crc32c_by_table(data, size);
}

}  // namespace tsrunc::sys
