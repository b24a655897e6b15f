#include "launcher/user_name.h"

#include <fcntl.h>

#include <cstdlib>
#include <cstring>

#include "launcher/json_text.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

// Of the line "name:password:uid:…": the length of its name if the uid is the wanted one, else 0.
[[nodiscard]] size_t matching_name(const char* line, uid_t uid) noexcept {
  const char* password = std::strchr(line, ':');
  const char* number = password == nullptr ? nullptr : std::strchr(password + 1, ':');
  if (number == nullptr || number[1] < '0' || number[1] > '9') {
    return 0;
  }
  char* end = nullptr;
  const unsigned long value = std::strtoul(number + 1, &end, 10);
  return *end == ':' && value == uid ? static_cast<size_t>(password - line) : 0;
}

}  // namespace

void add_user_name(sys::Array<char>& out, uid_t uid) {
  sys::Array<char> users;
  if (!sys::read_whole(AT_FDCWD, "/etc/passwd", users)) {
    users.push(0);
    for (char* line = users.data(); *line != 0;) {
      char* end = std::strchr(line, '\n');
      if (end != nullptr) {
        *end = 0;
      }
      if (const size_t length = matching_name(line, uid); length > 0) {
        out.append(line, length);
        return;
      }
      line = end == nullptr ? line + std::strlen(line) : end + 1;
    }
  }
  char number[16];
  sys::Text text(number);
  add_text(out, text.add("#").add(static_cast<uint64_t>(uid)).c_str());
}

}  // namespace tsrunc::launcher
