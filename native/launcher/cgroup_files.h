// Reading the statistics of a container's cgroups: which of its directories has a file, and what is in it
// (Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst).
#pragma once

#include <cstdint>

#include "sys/array.h"
#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::launcher {

// A file's text. Empty where the kernel does not have the file, or keeps no such account.
class CgroupText {
 public:
  // Errors: what is no ENOENT, ENODEV or EOPNOTSUPP.
  [[nodiscard]] sys::Failure read(const char* directory, const char* file);

  [[nodiscard]] bool empty() const noexcept { return text_.size() <= 1; }
  [[nodiscard]] const char* text() const noexcept { return text_.empty() ? "" : text_.data(); }
  // The file as one number; "max" is the greatest, an empty file 0.
  [[nodiscard]] uint64_t number() const noexcept;
  // The number behind `key` in lines of "KEY VALUE"; 0 where there is none.
  [[nodiscard]] uint64_t number_of(const char* key) const noexcept;

 private:
  sys::Array<char> text_;
};

// Calls visit(line, length) for each line that is not empty.
template <typename Visit>
void each_line(const char* text, Visit visit) {
  while (*text != 0) {
    size_t length = 0;
    while (text[length] != 0 && text[length] != '\n') {
      ++length;
    }
    if (length > 0) {
      visit(text, length);
    }
    text += length + (text[length] == '\n' ? 1 : 0);
  }
}

class CgroupDirectories {
 public:
  explicit CgroupDirectories(const wire::StrList& paths) noexcept : paths_(paths) {}
  // The first one that has `file`, or nullptr.
  [[nodiscard]] const char* with(const char* file) const;
  [[nodiscard]] const wire::StrList& paths() const noexcept { return paths_; }
  // cgroups(7): only v2 has this file.
  [[nodiscard]] const char* unified() const { return with("cgroup.controllers"); }

 private:
  const wire::StrList& paths_;
};

// The number in `file` of `directory`, which may be nullptr; 0 where there is none.
[[nodiscard]] sys::Failure read_number(const char* directory, const char* file, uint64_t& out);

}  // namespace tsrunc::launcher
