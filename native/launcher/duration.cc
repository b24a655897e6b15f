#include "launcher/duration.h"

#include <algorithm>
#include <cstring>

#include "sys/characters.h"

namespace tsrunc::launcher {
namespace {

struct Unit {
  const char* name;
  uint64_t nanoseconds;
};
// Longer names first: "ms" is no "m".
constexpr Unit kUnits[] = {{"ms", 1'000'000},     {"us", 1'000},       {"\u00b5s", 1'000},
                           {"\u03bcs", 1'000},    {"ns", 1},           {"h", 3'600'000'000'000},
                           {"m", 60'000'000'000}, {"s", 1'000'000'000}};
// A hundred years; what is longer is no interval that anybody meant. It fits 62 bits.
constexpr uint64_t kMost = 3'200'000'000'000'000'000;

// Whole numbers are counted as such, so that the sum does not depend on the order of its parts; only what is
// behind a point, less than one unit, is a floating number.
struct Number {
  uint64_t whole = 0;
  double fraction = 0;
};

// Digits with at most one point among them; at least one digit. What is above kMost stays above it.
[[nodiscard]] const char* read_number(const char* at, Number& out) noexcept {
  bool any = false;
  for (; sys::is_digit(*at); ++at) {
    any = true;
    out.whole = out.whole > kMost / 10 ? kMost + 1 : out.whole * 10 + static_cast<uint64_t>(*at - '0');
  }
  if (*at == '.') {
    ++at;
    for (double scale = 0.1; sys::is_digit(*at); ++at, scale /= 10) {
      any = true;
      out.fraction += (*at - '0') * scale;
    }
  }
  return any ? at : nullptr;
}

[[nodiscard]] const Unit* unit_at(const char* at) noexcept {
  for (const Unit& unit : kUnits) {
    if (std::strncmp(at, unit.name, std::strlen(unit.name)) == 0) {
      return &unit;
    }
  }
  return nullptr;
}

}  // namespace

bool parse_duration(const char* text, int64_t& milliseconds) noexcept {
  uint64_t total = 0;
  const char* at = *text == '+' ? text + 1 : text;
  if (*at == 0) {
    return false;
  }
  while (*at != 0) {
    Number number;
    at = read_number(at, number);
    const Unit* unit = at == nullptr ? nullptr : unit_at(at);
    if (unit == nullptr || number.whole > kMost / unit->nanoseconds) {
      return false;
    }
    at += std::strlen(unit->name);
    total += number.whole * unit->nanoseconds +
             static_cast<uint64_t>(number.fraction * static_cast<double>(unit->nanoseconds));
    if (total > kMost) {
      return false;
    }
  }
  milliseconds = static_cast<int64_t>(std::max<uint64_t>(total / 1'000'000, 1));
  return total > 0;
}

}  // namespace tsrunc::launcher
