#include "addon/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tsrunc::addon {
namespace {

constexpr size_t kBlock = 64;

// FIPS 180-4, 4.2.2.
constexpr std::array<uint32_t, 64> kRound{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

[[nodiscard]] uint32_t big_endian(const uint8_t* at) noexcept {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

}  // namespace

void Sha256::block(const uint8_t* data) noexcept {
  std::array<uint32_t, 64> words;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  for (size_t i = 0; i < 16; ++i) {
    words[i] = big_endian(data + 4 * i);
  }
  for (size_t i = 16; i < words.size(); ++i) {
    const uint32_t a = words[i - 15];
    const uint32_t b = words[i - 2];
    words[i] = words[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + words[i - 7] +
               (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (size_t i = 0; i < words.size(); ++i) {
    const uint32_t choice = (e & f) ^ (~e & g);
    const uint32_t first =
        h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + choice + kRound[i] + words[i];
    const uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    const uint32_t second = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + majority;
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const std::array<uint32_t, 8> sum{a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < sum.size(); ++i) {
    state_[i] += sum[i];
  }
}

Sha256& Sha256::add(const void* data, size_t size) noexcept {
  const auto* bytes = static_cast<const uint8_t*>(data);
  size_t used = length_ % kBlock;
  length_ += size;
  if (used + size >= kBlock && used > 0) {
    const size_t taken = kBlock - used;
    std::memcpy(pending_.data() + used, bytes, taken);
    block(pending_.data());
    bytes += taken;
    size -= taken;
    used = 0;
  }
  for (; size >= kBlock; bytes += kBlock, size -= kBlock) {
    block(bytes);
  }
  if (size > 0) {
    std::memcpy(pending_.data() + used, bytes, size);
  }
  return *this;
}

Sha256::Digest Sha256::finish() noexcept {
  const uint64_t bits = length_ * 8;
  constexpr std::array<uint8_t, kBlock> kPadding{0x80};
  const size_t used = length_ % kBlock;
  add(kPadding.data(), used < kBlock - 8 ? kBlock - 8 - used : 2 * kBlock - 8 - used);
  std::array<uint8_t, 8> length{};
  for (size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  }
  add(length.data(), length.size());
  Digest out{};
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return out;
}

}  // namespace tsrunc::addon
