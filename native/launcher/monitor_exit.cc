#include "launcher/monitor_exit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>

#include "sys/checksum_text.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr char kFile[] = "exit";
constexpr char kNew[] = "exit.new";
constexpr char kSum[] = ",\"checksum\":\"";

void add_number_or_null(sys::Text& out, bool is, int number) noexcept {
  if (is) {
    out.add(static_cast<uint64_t>(number));
  } else {
    out.add("null");
  }
}

// Where the value of `key` begins, or nullptr.
[[nodiscard]] const char* value_of(const char* line, const char* key) noexcept {
  char name[32];
  sys::Text(name).add("\"").add(key).add("\":");
  const char* found = std::strstr(line, name);
  return found == nullptr ? nullptr : found + std::strlen(name);
}

[[nodiscard]] bool read_number(const char* line, const char* key, uint64_t& out) noexcept {
  const char* text = value_of(line, key);
  if (text == nullptr || *text < '0' || *text > '9') {
    return false;
  }
  out = ::strtoull(text, nullptr, 10);
  return true;
}

[[nodiscard]] bool is_whole(const char* line, size_t size) noexcept {
  const char* sum = std::strstr(line, kSum);
  if (sum == nullptr) {
    return false;
  }
  const auto length = static_cast<size_t>(sum - line);
  const sys::ChecksumText own(line, length);
  const char* digits = sum + sizeof kSum - 1;
  constexpr char kEnd[] = "\"}\n";
  return size == length + sizeof kSum - 1 + sizeof own.text + sizeof kEnd - 1 &&
         std::memcmp(digits, own.text, sizeof own.text) == 0 &&
         std::memcmp(digits + sizeof own.text, kEnd, sizeof kEnd) == 0;
}

}  // namespace

size_t write_exit_line(const ExitRecord& record, char (&out)[kLongestExitLine]) noexcept {
  sys::Text text(out);
  text.add("{\"version\":1,\"pid\":").add(static_cast<uint64_t>(record.pid)).add(",\"code\":");
  add_number_or_null(text, record.code >= 0, record.code);
  add_number_or_null(text.add(",\"signal\":"), record.signal > 0, record.signal);
  text.add(",\"oom\":").add(record.oom ? "true" : "false").add(",\"time\":\"").add(record.time);
  text.add("\",\"lost\":").add(record.lost);
  const sys::ChecksumText sum(text.c_str(), text.size());
  return text.add(kSum).add(sum.text, sizeof sum.text).add("\"}\n").size();
}

Failure save_exit(int directory, const char* line, size_t size) noexcept {
  const sys::UniqueFd fd(
      ::openat(directory, kNew, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return sys::fail("open", kNew);
  }
  TSRUNC_TRY(sys::write_all(fd.get(), line, size, kNew));
  if (::fsync(fd.get()) != 0) {
    return sys::fail("fsync", kNew);
  }
  if (::renameat(directory, kNew, directory, kFile) != 0) {
    return sys::fail("rename", kFile);
  }
  return ::fsync(directory) == 0 ? kOk : sys::fail("fsync", kFile);
}

Failure parse_exit(const char* line, size_t size, ExitRecord& out) noexcept {
  uint64_t pid = 0;
  uint64_t number = 0;
  ExitRecord record;
  const char* time = value_of(line, "time");
  if (!is_whole(line, size) || !read_number(line, "pid", pid) || !read_number(line, "lost", record.lost) ||
      time == nullptr) {
    return sys::fail(EBADMSG, "read", kFile, "the record of the end is damaged");
  }
  record.pid = static_cast<pid_t>(pid);
  if (read_number(line, "code", number)) {
    record.code = static_cast<int>(number);
  }
  if (read_number(line, "signal", number)) {
    record.signal = static_cast<int>(number);
  }
  const char* oom = value_of(line, "oom");
  record.oom = oom != nullptr && *oom == 't';
  sys::Text(record.time).add(time + 1, std::strcspn(time + 1, "\""));
  out = record;
  return kOk;
}

Failure load_exit(int directory, ExitRecord& out, char (&line)[kLongestExitLine]) noexcept {
  const auto size = sys::read_file(directory, kFile, line, sizeof line);
  if (!size.ok()) {
    return size.failure();
  }
  return parse_exit(line, *size, out);
}

uint64_t count_oom_kills(int fd, uint64_t otherwise) noexcept {
  char text[1024];
  const ssize_t length = fd < 0 ? -1 : ::pread(fd, text, sizeof text - 1, 0);
  if (length <= 0) {
    return otherwise;
  }
  text[length] = 0;
  constexpr char kKey[] = "oom_kill ";
  const char* found = std::strstr(text, kKey);
  return found == nullptr ? otherwise : ::strtoull(found + sizeof kKey - 1, nullptr, 10);
}

}  // namespace tsrunc::launcher
