#include "engine/created_time.h"

#include <ctime>

#include "sys/clock.h"
#include "sys/text.h"
#include "sys/utc.h"

namespace tsrunc::engine {
namespace {

using sys::Text;

// `number` with leading zeros.
void add_padded(Text& text, uint64_t number, unsigned digits) {
  uint64_t limit = 1;
  for (unsigned i = 1; i < digits; ++i) {
    limit *= 10;
  }
  for (; number < limit && limit > 1; limit /= 10) {
    text.add("0");
  }
  text.add(number);
}

}  // namespace

void format_now(char* out, size_t size) {
  const timespec now = sys::read_clock(CLOCK_REALTIME);
  const sys::Utc parts = sys::utc(now.tv_sec);
  Text text(out, size);
  add_padded(text, static_cast<uint64_t>(parts.year), 4);
  add_padded(text.add("-"), parts.month, 2);
  add_padded(text.add("-"), parts.day, 2);
  add_padded(text.add("T"), parts.hour, 2);
  add_padded(text.add(":"), parts.minute, 2);
  add_padded(text.add(":"), parts.second, 2);
  add_padded(text.add("."), static_cast<uint64_t>(now.tv_nsec), 9);
  text.add("Z");
}

}  // namespace tsrunc::engine
