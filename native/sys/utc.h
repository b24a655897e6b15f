// Calendar time in UTC. Not gmtime_r(3): glibc's reads /etc/localtime first, and brings scanf into the
// executable.
#pragma once

#include <cstdint>

namespace tsrunc::sys {

struct Utc {
  int64_t year;
  unsigned month;  // 1 to 12
  unsigned day;    // 1 to 31
  unsigned hour;
  unsigned minute;
  unsigned second;
};

// `seconds` since 1970-01-01, not negative. Years count from March, in cycles of 400 years of 146097 days: so
// the leap day is the last of its year, and a month's days before it are (153 m + 2) / 5.
[[nodiscard]] constexpr Utc utc(int64_t seconds) noexcept {
  constexpr int64_t kDay = 86400;
  constexpr int64_t kCycle = 146097;
  constexpr int64_t kFromMarchOfYear0 = 719468;
  const int64_t days = seconds / kDay + kFromMarchOfYear0;
  const int64_t cycle = days / kCycle;
  const int64_t in_cycle = days % kCycle;
  const int64_t year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
  const int64_t in_year = in_cycle - (365 * year + year / 4 - year / 100);
  const int64_t march_month = (5 * in_year + 2) / 153;
  const auto month = static_cast<unsigned>(march_month < 10 ? march_month + 3 : march_month - 9);
  const auto rest = static_cast<unsigned>(seconds % kDay);
  return {year + cycle * 400 + (month <= 2 ? 1 : 0),
          month,
          static_cast<unsigned>(in_year - (153 * march_month + 2) / 5 + 1),
          rest / 3600,
          rest / 60 % 60,
          rest % 60};
}

static_assert(utc(0).year == 1970 && utc(0).month == 1 && utc(0).day == 1 && utc(0).second == 0);
static_assert(utc(951782399).month == 2 && utc(951782399).day == 28 && utc(951782399).second == 59);
static_assert(utc(951782400).month == 2 && utc(951782400).day == 29);
static_assert(utc(951868800).month == 3 && utc(951868800).day == 1);
static_assert(utc(1735689599).year == 2024 && utc(1735689599).month == 12 && utc(1735689599).day == 31);
static_assert(utc(4107542400).year == 2100 && utc(4107542400).month == 3 && utc(4107542400).day == 1);

}  // namespace tsrunc::sys
