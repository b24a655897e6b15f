#include "launcher/cgroup_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>

#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

void join(char (&out)[PATH_MAX], const char* directory, const char* file) noexcept {
  sys::Text(out).add(directory).add("/").add(file);
}

}  // namespace

Failure CgroupText::read(const char* directory, const char* file) {
  text_.clear();
  if (directory == nullptr) {
    return kOk;
  }
  char path[PATH_MAX];
  join(path, directory, file);
  const Failure failure = sys::read_whole(AT_FDCWD, path, text_);
  text_.push(0);
  if (!failure || failure.code == ENOENT || failure.code == ENODEV || failure.code == EOPNOTSUPP) {
    return kOk;
  }
  return sys::fail(failure.code, failure.call, directory, nullptr);
}

uint64_t CgroupText::number() const noexcept {
  return std::strncmp(text(), "max", 3) == 0 ? UINT64_MAX : std::strtoull(text(), nullptr, 10);
}

uint64_t CgroupText::number_of(const char* key) const noexcept {
  const size_t length = std::strlen(key);
  uint64_t value = 0;
  each_line(text(), [&](const char* line, size_t size) {
    if (size > length && std::memcmp(line, key, length) == 0 && line[length] == ' ') {
      value = std::strtoull(line + length, nullptr, 10);
    }
  });
  return value;
}

const char* CgroupDirectories::with(const char* file) const {
  for (uint32_t i = 0; i < paths_.count; ++i) {
    char path[PATH_MAX];
    join(path, paths_.items[i], file);
    if (::access(path, F_OK) == 0) {
      return paths_.items[i];
    }
  }
  return nullptr;
}

Failure read_number(const char* directory, const char* file, uint64_t& out) {
  CgroupText text;
  TSRUNC_TRY(text.read(directory, file));
  out = text.number();
  return kOk;
}

}  // namespace tsrunc::launcher
