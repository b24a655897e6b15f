#include "launcher/duration.h"

#include <cstring>

#include "sys/characters.h"

namespace tsrunc::launcher {
namespace {

struct Unit {
  const char* name;
  double milliseconds;
};
// Longer names first: "ms" is no "m".
constexpr Unit kUnits[] = {{"ms", 1},    {"us", 1e-3}, {"\u00b5s", 1e-3}, {"\u03bcs", 1e-3},
                           {"ns", 1e-6}, {"h", 3.6e6}, {"m", 6e4},        {"s", 1e3}};
// A hundred years; what is longer is no interval that anybody meant.
constexpr double kMost = 3.2e12;

// Digits with at most one point among them; at least one digit.
[[nodiscard]] const char* read_number(const char* at, double& out) noexcept {
  bool any = false;
  double scale = 0;
  out = 0;
  for (; sys::is_digit(*at) || (*at == '.' && scale == 0); ++at) {
    if (*at == '.') {
      scale = 1;
      continue;
    }
    any = true;
    out = out * 10 + (*at - '0');
    scale *= 10;
  }
  out = scale > 0 ? out / scale : out;
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
  double total = 0;
  const char* at = *text == '+' ? text + 1 : text;
  if (*at == 0) {
    return false;
  }
  while (*at != 0) {
    double number = 0;
    at = read_number(at, number);
    const Unit* unit = at == nullptr ? nullptr : unit_at(at);
    if (unit == nullptr) {
      return false;
    }
    at += std::strlen(unit->name);
    total += number * unit->milliseconds;
  }
  if (!(total > 0) || total > kMost) {
    return false;
  }
  milliseconds = total < 1 ? 1 : static_cast<int64_t>(total);
  return true;
}

}  // namespace tsrunc::launcher
