#include "wire/plan.h"

#include <new>

namespace tsrunc::wire {
namespace {

template <typename T>
const void* read_body(Decoder& in) noexcept {
  void* memory = in.arena().make<T>(1);
  if (memory == nullptr) {
    in.spoil();
    return nullptr;
  }
  T* body = new (memory) T{};
  read(in, *body);
  return body;
}

// One case an operation, generated.
// NOLINTNEXTLINE(readability-function-size)
bool read_op(Decoder& in, Op& out) noexcept {
  const uint32_t code = in.u32();
  const uint32_t length = in.u32();
  Decoder inner = in.sub(length);
  if (!in.ok()) {
    return false;
  }
  out.kind = static_cast<OpKind>(code);
  out.pointer = inner.str();
  out.what = inner.str();
  switch (out.kind) {
#define TSRUNC_READ(name)              \
  case OpKind::k##name:                \
    out.body = read_body<name>(inner); \
    return inner.done();
    TSRUNC_ALL_OPS(TSRUNC_READ)
#undef TSRUNC_READ
  }
  return false;
}

bool read_list(Decoder& in, OpList& out) noexcept {
  const uint32_t count = in.u32();
  // An operation takes at least 18 bytes.
  if (!in.ok() || count > in.left() / 18) {
    return false;
  }
  Op* items = in.arena().make<Op>(count);
  if (items == nullptr) {
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    Op* op = new (&items[i]) Op{};
    if (!read_op(in, *op)) {
      return false;
    }
  }
  out = {items, count};
  return true;
}

}  // namespace

bool decode_plan(const uint8_t* data, size_t size, Arena& arena, Plan& out) noexcept {
  Decoder in(data, size, arena);
  if (in.u32() != kPlanMagic || in.u32() != kPlanVersion || in.u32() != size || !in.ok()) {
    return false;
  }
  read(in, out.header);
  read(in, out.launch);
  for (OpList& list : out.lists) {
    if (!in.ok() || !read_list(in, list)) {
      return false;
    }
  }
  out.raw = {data, static_cast<uint32_t>(size)};
  return in.done();
}

}  // namespace tsrunc::wire
