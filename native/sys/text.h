// Text put together in a buffer of fixed size: no heap, no stdio, legal after clone. What does not fit is
// cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tsrunc::sys {

class Text {
 public:
  Text(char* buffer, size_t size) noexcept : buffer_(buffer), size_(size) {
    if (size_ > 0) {
      buffer_[0] = 0;
    }
  }
  template <size_t N>
  explicit Text(char (&buffer)[N]) noexcept : Text(buffer, N) {}

  Text& add(const char* text) noexcept { return add(text, std::strlen(text)); }
  Text& add(const char* text, size_t length) noexcept {
    for (size_t i = 0; i < length && length_ + 1 < size_; ++i) {
      buffer_[length_++] = text[i];
    }
    cut_ = cut_ || length_ + 1 >= size_;
    if (size_ > 0) {
      buffer_[length_] = 0;
    }
    return *this;
  }
  Text& add(uint64_t number, unsigned base = 10) noexcept {
    char digits[24];
    size_t at = sizeof digits;
    do {
      digits[--at] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return add(digits + at, sizeof digits - at);
  }
  // Overwrites what is there already.
  void replace(size_t at, const char* text, size_t length) noexcept {
    for (size_t i = 0; i < length && at + i < length_; ++i) {
      buffer_[at + i] = text[i];
    }
  }
  [[nodiscard]] const char* c_str() const noexcept { return buffer_; }
  [[nodiscard]] size_t size() const noexcept { return length_; }
  // The buffer is full: something may be missing.
  [[nodiscard]] bool cut() const noexcept { return cut_; }

 private:
  char* buffer_;
  size_t size_;
  size_t length_ = 0;
  bool cut_ = false;
};

// "/proc/self/fd/N" for calls that take a path only. Only with a /proc that is the host's.
struct FdPath {
  char text[32];
  explicit FdPath(int fd) noexcept { Text(text).add("/proc/self/fd/").add(static_cast<uint64_t>(fd)); }
};

}  // namespace tsrunc::sys
