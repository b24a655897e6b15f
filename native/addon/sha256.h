// SHA-256 (FIPS 180-4). Of its own, because loading node:crypto costs a start more than all that is hashed in
// it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tsrunc::addon {

class Sha256 {
 public:
  using Digest = std::array<uint8_t, 32>;

  Sha256& add(const void* data, size_t size) noexcept;
  // The digest of everything added; the object is used up.
  [[nodiscard]] Digest finish() noexcept;

 private:
  void block(const uint8_t* data) noexcept;

  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_{};
  uint64_t length_ = 0;
};

}  // namespace tsrunc::addon
