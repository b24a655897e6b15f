#include "engine/host/mount_rows.h"

#include <cstdlib>
#include <cstring>

#include "sys/small_file.h"

namespace tsrunc::engine {
namespace {

[[nodiscard]] bool is_octal(char c) noexcept {
  return c >= '0' && c <= '7';
}

// Blanks, tabs, newlines and backslashes come as three octal digits.
void unescape(char* text) noexcept {
  char* out = text;
  for (const char* at = text; *at != 0; ++at) {
    if (*at == '\\' && is_octal(at[1]) && is_octal(at[2]) && is_octal(at[3])) {
      *out++ = static_cast<char>((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
      at += 3;
    } else {
      *out++ = *at;
    }
  }
  *out = 0;
}

// Ends field `index` of the line with a NUL and returns its start.
[[nodiscard]] char* field(char* line, int index) noexcept {
  for (; index > 0; --index) {
    line = std::strchr(line, ' ');
    if (line == nullptr) {
      return nullptr;
    }
    ++line;
  }
  char* end = std::strchr(line, ' ');
  if (end != nullptr) {
    *end = 0;
  }
  return line;
}

}  // namespace

sys::Failure MountRows::load(int process) {
  text_.clear();
  TSRUNC_TRY(sys::read_whole(process, "mountinfo", text_));
  split();
  return sys::kOk;
}

void MountRows::parse(const char* text, size_t size) {
  text_.clear();
  text_.append(text, size);
  split();
}

void MountRows::split() {
  rows_.clear();
  for (size_t at = 0; at < text_.size();) {
    char* line = text_.data() + at;
    auto* end = static_cast<char*>(std::memchr(line, '\n', text_.size() - at));
    if (end == nullptr) {
      return;
    }
    *end = 0;
    at += static_cast<size_t>(end - line) + 1;
    const uint64_t id = std::strtoull(line, nullptr, 10);
    char* path = field(line, 4);
    if (path != nullptr) {
      unescape(path);
      rows_.push({id, path});
    }
  }
}

bool at_or_below(const char* path, const char* top) noexcept {
  size_t length = std::strlen(top);
  while (length > 0 && top[length - 1] == '/') {
    --length;
  }
  return std::strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == 0);
}

}  // namespace tsrunc::engine
