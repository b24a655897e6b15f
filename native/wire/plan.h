// A decoded plan. Everything in it points into the plan's bytes and the arena, which must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire/decoder.h"
#include "wire/ops.gen.h"

namespace tsrunc::wire {

struct Op {
  OpKind kind{};
  Str pointer;  // JSON pointer into config.json, or empty
  Str what;     // for a person: what is being done
  const void* body = nullptr;

  template <typename T>
  [[nodiscard]] const T& as() const noexcept {
    return *static_cast<const T*>(body);
  }
};

struct OpList {
  const Op* items = nullptr;
  uint32_t count = 0;
};

struct Plan {
  Header header;
  Launch launch;
  OpList lists[kListCount];
  Bytes raw;  // the bytes it was decoded from

  [[nodiscard]] const OpList& list(List which) const noexcept { return lists[static_cast<uint32_t>(which)]; }
};

// Bytes of arena that are enough for any plan of `size` bytes.
[[nodiscard]] constexpr size_t arena_size(size_t size) noexcept {
  return 16 * size + 4096;
}

// False if the bytes are not one plan of this version. Allocates only from `arena`.
[[nodiscard]] bool decode_plan(const uint8_t* data, size_t size, Arena& arena, Plan& out) noexcept;

}  // namespace tsrunc::wire
