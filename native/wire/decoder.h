// Reads a plan's fields out of untrusted bytes: every length is checked against what is left, every string
// must end in the one NUL that its length promises, lists of pointers come from one arena of fixed size.
// After the first fault every read returns an empty value and ok() is false (CVE-2021-43784 was an unchecked
// length in such a message).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tsrunc::wire {

struct Str {
  const char* data = "";  // NUL-terminated, no NUL inside
  uint32_t size = 0;
  [[nodiscard]] bool empty() const noexcept { return size == 0; }
};

struct StrList {
  const char* const* items = nullptr;  // `count` pointers and one nullptr, as execve(2) takes them
  uint32_t count = 0;
};

struct U32List {
  const uint32_t* items = nullptr;
  uint32_t count = 0;
};

struct Bytes {
  const uint8_t* data = nullptr;
  uint32_t size = 0;
};

// Memory handed out front to back and freed at once by its owner.
class Arena {
 public:
  Arena(void* memory, size_t size) noexcept : memory_(static_cast<uint8_t*>(memory)), size_(size) {}
  // `count` objects of T, or nullptr when the arena is full. Zeroed memory is the owner's promise (mmap).
  template <typename T>
  [[nodiscard]] T* make(size_t count) noexcept {
    const size_t at = (used_ + alignof(T) - 1) & ~(alignof(T) - 1);
    if (at > size_ || count > (size_ - at) / sizeof(T)) {
      return nullptr;
    }
    used_ = at + count * sizeof(T);
    return reinterpret_cast<T*>(memory_ + at);
  }

 private:
  uint8_t* memory_;
  size_t size_;
  size_t used_ = 0;
};

class Decoder {
 public:
  Decoder(const uint8_t* data, size_t size, Arena& arena) noexcept
      : data_(data), size_(size), arena_(&arena) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] size_t left() const noexcept { return size_ - at_; }
  [[nodiscard]] bool done() const noexcept { return ok_ && at_ == size_; }

  uint32_t u32() noexcept {
    uint32_t value = 0;
    take(&value, sizeof value);
    return value;
  }
  uint64_t u64() noexcept {
    uint64_t value = 0;
    take(&value, sizeof value);
    return value;
  }
  int64_t i64() noexcept {
    int64_t value = 0;
    take(&value, sizeof value);
    return value;
  }
  bool boolean() noexcept {
    const uint32_t value = u32();
    if (value > 1) {
      ok_ = false;
    }
    return ok_ && value == 1;
  }
  Str str() noexcept {
    const uint32_t length = u32();
    if (!ok_ || left() < 1 || length > left() - 1) {
      ok_ = false;
      return {};
    }
    const auto* text = reinterpret_cast<const char*>(data_ + at_);
    if (std::memchr(text, 0, static_cast<size_t>(length) + 1) != text + length) {
      ok_ = false;
      return {};
    }
    at_ += static_cast<size_t>(length) + 1;
    return {text, length};
  }
  Bytes bytes() noexcept {
    const uint32_t length = u32();
    if (!ok_ || length > left()) {
      ok_ = false;
      return {};
    }
    const Bytes out{data_ + at_, length};
    at_ += length;
    return out;
  }
  StrList strs() noexcept {
    const uint32_t count = u32();
    // An element takes at least five bytes: a larger count is a lie, and must not reach the arena.
    if (!ok_ || count > left() / 5) {
      ok_ = false;
      return {};
    }
    const char** items = arena_->make<const char*>(static_cast<size_t>(count) + 1);
    if (items == nullptr) {
      ok_ = false;
      return {};
    }
    for (uint32_t i = 0; i < count; ++i) {
      items[i] = str().data;
    }
    items[count] = nullptr;
    return {items, count};
  }
  U32List u32s() noexcept {
    const uint32_t count = u32();
    if (!ok_ || count > left() / sizeof(uint32_t)) {
      ok_ = false;
      return {};
    }
    auto* items = arena_->make<uint32_t>(count);
    if (items == nullptr) {
      ok_ = false;
      return {};
    }
    for (uint32_t i = 0; i < count; ++i) {
      items[i] = u32();
    }
    return {items, count};
  }
  // The next `length` bytes as a decoder of their own.
  Decoder sub(uint32_t length) noexcept {
    if (!ok_ || length > left()) {
      ok_ = false;
      return {data_, 0, *arena_};
    }
    Decoder inner(data_ + at_, length, *arena_);
    at_ += length;
    return inner;
  }
  void spoil() noexcept { ok_ = false; }
  [[nodiscard]] Arena& arena() noexcept { return *arena_; }

 private:
  void take(void* out, size_t size) noexcept {
    if (!ok_ || size > left()) {
      ok_ = false;
      return;
    }
    std::memcpy(out, data_ + at_, size);
    at_ += size;
  }

  const uint8_t* data_;
  size_t size_;
  Arena* arena_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace tsrunc::wire
