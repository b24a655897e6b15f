// Reads numbers out of the short texts by which tsrunc hands itself on. sscanf(3) would bring floating point,
// wide characters and locales, a tenth of the executable.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace tsrunc::sys {

class Scan {
 public:
  explicit Scan(const char* text) noexcept : at_(text) {}

  // The text goes on with `word`.
  Scan& word(const char* word) noexcept {
    const size_t length = std::strlen(word);
    matches_ = matches_ && std::strncmp(at_, word, length) == 0;
    at_ += matches_ ? length : 0;
    return *this;
  }

  // A number that `out` can hold, with a sign only where `out` has one.
  template <typename T>
  Scan& number(T& out, unsigned base = 10) noexcept {
    static_assert(std::is_integral_v<T>);
    const bool minus = std::is_signed_v<T> && matches_ && *at_ == '-';
    at_ += minus ? 1 : 0;
    const auto most = static_cast<uint64_t>(std::numeric_limits<T>::max());
    uint64_t value = 0;
    const char* begin = at_;
    for (unsigned digit = 0; matches_ && (digit = digit_of(*at_)) < base; ++at_) {
      matches_ = value <= (most - digit) / base;
      value = value * base + digit;
    }
    matches_ = matches_ && at_ > begin;
    if (matches_) {
      out = minus ? static_cast<T>(-static_cast<T>(value)) : static_cast<T>(value);
    }
    return *this;
  }

  // All was there so far.
  [[nodiscard]] bool matches() const noexcept { return matches_; }

  // All was there, and nothing is left.
  [[nodiscard]] bool complete() const noexcept { return matches_ && *at_ == 0; }

 private:
  [[nodiscard]] static unsigned digit_of(char c) noexcept {
    constexpr unsigned kTen = 10;
    if (c >= '0' && c <= '9') {
      return static_cast<unsigned>(c - '0');
    }
    return c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + kTen : ~0U;
  }

  const char* at_;
  bool matches_ = true;
};

}  // namespace tsrunc::sys
