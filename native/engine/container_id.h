// What may be the name of a container: it becomes the name of a directory, so that nothing in it may lead
// elsewhere.
#pragma once

#include <cstddef>

namespace tsrunc::engine {

// Letters, digits and "_+-." as runc has it; neither "." nor ".."; at most as long as a file's name may be.
[[nodiscard]] constexpr bool valid_container_id(const char* id) noexcept {
  size_t length = 0;
  bool only_dots = true;
  for (; id[length] != 0; ++length) {
    const char c = id[length];
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && c != '_' && c != '+' && c != '-' && c != '.') {
      return false;
    }
    only_dots = only_dots && c == '.';
  }
  return length > 0 && length <= 255 && !(only_dots && length <= 2);
}

static_assert(valid_container_id("a") && valid_container_id("...") && valid_container_id("-x_+.9"));
static_assert(!valid_container_id("") && !valid_container_id(".") && !valid_container_id(".."));
static_assert(!valid_container_id("a/b") && !valid_container_id("a b") && !valid_container_id("\xc3\xa4"));

}  // namespace tsrunc::engine
