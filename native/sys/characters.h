// Letters and digits of ASCII. Those of ctype.h and strings.h ask the locale, whose tables a static
// executable would have to carry and which a runtime must not obey anyway.
#pragma once

#include <cstddef>
#include <cstring>

namespace tsrunc::sys {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

[[nodiscard]] constexpr char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

// Whether `text` begins with `start`, in letters of any case.
[[nodiscard]] inline bool begins_in_any_case(const char* text, const char* start) noexcept {
  for (; *start != 0; ++text, ++start) {
    if (upper(*text) != upper(*start)) {
      return false;
    }
  }
  return true;
}

[[nodiscard]] inline bool same_in_any_case(const char* one, const char* other) noexcept {
  return std::strlen(one) == std::strlen(other) && begins_in_any_case(one, other);
}

}  // namespace tsrunc::sys
