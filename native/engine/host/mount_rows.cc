#include "engine/host/mount_rows.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>

#include "sys/small_file.h"
#include "sys/text.h"

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

// Takes the field at `at`, ends it with a NUL, and moves `at` behind it; nullptr at the end of the line.
[[nodiscard]] char* next_field(char*& at) noexcept {
  char* start = at;
  if (start == nullptr) {
    return nullptr;
  }
  at = std::strchr(start, ' ');
  if (at != nullptr) {
    *at++ = 0;
  }
  return start;
}

// "ID PARENT DEVICE ROOT PATH OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS"
[[nodiscard]] bool parse_row(char* line, MountRow& out) noexcept {
  const char* id = next_field(line);
  (void)next_field(line);
  (void)next_field(line);
  (void)next_field(line);
  char* path = next_field(line);
  if (path == nullptr) {
    return false;
  }
  unescape(path);
  out.id = std::strtoull(id, nullptr, 10);
  out.path = path;
  if (const char* options = next_field(line); options != nullptr) {
    out.options = options;
  }
  for (const char* word = next_field(line); word != nullptr; word = next_field(line)) {
    if (std::strcmp(word, "-") == 0) {
      const char* type = next_field(line);
      out.type = type == nullptr ? "" : type;
      break;
    }
  }
  return true;
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
    MountRow row;
    if (parse_row(line, row)) {
      rows_.push(row);
    }
  }
}

bool find_mount_id(int process, int fd, uint64_t& out) noexcept {
  struct statx about {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &about) == 0 && (about.stx_mask & STATX_MNT_ID) != 0) {
    out = about.stx_mnt_id;
    return true;
  }
  char name[40];
  sys::Text(name).add("fdinfo/").add(static_cast<uint64_t>(fd));
  char text[512];
  const auto length = sys::read_file(process, name, text, sizeof text);
  const char* at = length.ok() ? std::strstr(text, "mnt_id:") : nullptr;
  if (at == nullptr) {
    return false;
  }
  out = std::strtoull(at + std::strlen("mnt_id:"), nullptr, 10);
  return true;
}

bool at_or_below(const char* path, const char* top) noexcept {
  size_t length = std::strlen(top);
  while (length > 0 && top[length - 1] == '/') {
    --length;
  }
  return std::strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == 0);
}

}  // namespace tsrunc::engine
