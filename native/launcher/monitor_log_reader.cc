#include "launcher/monitor_log_reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr char kFile[] = "log";

[[nodiscard]] Failure damaged() noexcept {
  return sys::fail(EBADMSG, "read", nullptr, "a record of the log is not of its format");
}

// "…"key":"" of a record of json-file.
[[nodiscard]] char* json_value(char* record, const char* key) noexcept {
  char* found = std::strstr(record, key);
  return found == nullptr ? nullptr : found + std::strlen(key);
}

// What follows \u, as UTF-8. Our own records have no pairs of surrogates.
[[nodiscard]] size_t put_character(char* out, unsigned code) noexcept {
  if (code < 0x80) {
    *out = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = static_cast<char>(0xc0 | code >> 6);
    out[1] = static_cast<char>(0x80 | (code & 0x3f));
    return 2;
  }
  out[0] = static_cast<char>(0xe0 | code >> 12);
  out[1] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
  out[2] = static_cast<char>(0x80 | (code & 0x3f));
  return 3;
}

// In place; `end` becomes where the string ended. False: it is none.
[[nodiscard]] bool unescape(char* text, size_t& size, char*& end) noexcept {
  char* to = text;
  char* from = text;
  for (; *from != '"'; ++from) {
    if (*from == 0) {
      return false;
    }
    if (*from != '\\') {
      *to++ = *from;
      continue;
    }
    ++from;
    if (*from == 'u') {
      char digits[5] = {};
      std::memcpy(digits, from + 1, ::strnlen(from + 1, 4));
      to += put_character(to, static_cast<unsigned>(::strtoul(digits, nullptr, 16)));
      from += std::strlen(digits);
    } else {
      *to++ = *from == 'n' ? '\n' : *from;
    }
  }
  size = static_cast<size_t>(to - text);
  end = from;
  return true;
}

}  // namespace

Failure save_log_place(int directory, const MonitorLogOrder& order) {
  char buffer[PATH_MAX + 64];
  sys::Text text(buffer);
  text.add(static_cast<uint64_t>(order.driver))
      .add(" ")
      .add(uint64_t{order.files_max})
      .add(" ")
      .add(order.path);
  const sys::UniqueFd fd(
      ::openat(directory, kFile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return fd.valid() ? sys::write_all(fd.get(), text.c_str(), text.size(), kFile) : sys::fail("open", kFile);
}

Failure load_log_place(int directory, LogPlace& out) {
  char text[PATH_MAX + 64];
  const auto size = sys::read_file(directory, kFile, text, sizeof text);
  if (!size.ok()) {
    return size.failure();
  }
  char* at = text;
  const unsigned long driver = ::strtoul(at, &at, 10);
  const unsigned long files = ::strtoul(at, &at, 10);
  if (driver == 0 || driver > static_cast<unsigned long>(LogDriver::kJson) || files == 0 || at[0] != ' ' ||
      at[1] != '/') {
    return sys::fail(EBADMSG, "read", kFile, nullptr);
  }
  out.driver = static_cast<LogDriver>(driver);
  out.files_max = static_cast<uint32_t>(files);
  sys::Text(out.path).add(at + 1);
  return kOk;
}

Failure LogReader::count(uint64_t& lines) {
  counts_ = true;
  const Failure failure = print();
  lines = lines_;
  return failure;
}

Failure LogReader::print() {
  for (bool more = true; more;) {
    if (fd_.valid()) {
      TSRUNC_TRY(read_rest());
    }
    TSRUNC_TRY(advance(more));
  }
  return kOk;
}

bool LogReader::open_number(uint32_t number) {
  char path[PATH_MAX + 16];
  sys::Text text(path);
  text.add(place_.path);
  if (number > 0) {
    text.add(".").add(uint64_t{number});
  }
  fd_.reset(::open(path, O_RDONLY | O_CLOEXEC));
  return fd_.valid();
}

// The file behind the one that was read to its end. Those of before have moved by as many places as there are
// new ones.
Failure LogReader::advance(bool& more) {
  more = false;
  uint32_t next = place_.files_max;  // number of the file, plus one
  if (opened_) {
    struct stat own {};
    struct stat other {};
    if (::fstat(fd_.get(), &own) != 0) {
      return sys::fail("fstat", place_.path);
    }
    char path[PATH_MAX + 16];
    for (uint32_t number = 0; number < place_.files_max; ++number) {
      sys::Text text(path);
      text.add(place_.path);
      if (number > 0) {
        text.add(".").add(uint64_t{number});
      }
      if (::stat(path, &other) == 0 && other.st_dev == own.st_dev && other.st_ino == own.st_ino) {
        next = number;
        break;
      }
    }
    if (next == 0) {
      return kOk;
    }
  }
  while (next > 0) {
    sys::UniqueFd before = std::move(fd_);
    if (open_number(--next)) {
      opened_ = more = true;
      return kOk;
    }
    fd_ = std::move(before);
  }
  return opened_ ? kOk : sys::fail("open", place_.path);
}

Failure LogReader::read_rest() {
  char data[16 << 10];
  for (;;) {
    const ssize_t got = ::read(fd_.get(), data, sizeof data);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return got == 0 ? kOk : sys::fail("read", place_.path);
    }
    const auto size = static_cast<size_t>(got);
    for (size_t at = 0; at < size;) {
      const void* end = std::memchr(data + at, '\n', size - at);
      const size_t length =
          end == nullptr ? size - at : static_cast<size_t>(static_cast<const char*>(end) - data) - at + 1;
      pending_.append(data + at, length);
      at += length;
      if (end == nullptr && place_.driver != LogDriver::kRaw) {
        break;
      }
      const size_t record = pending_.size();
      pending_.push(0);
      TSRUNC_TRY(take_record(pending_.data(), record));
      pending_.resize(0);
    }
  }
}

Failure LogReader::take_record(char* record, size_t size) {
  if (place_.driver == LogDriver::kRaw) {
    return put(false, "", record, size);
  }
  record[size - 1] = 0;
  if (place_.driver == LogDriver::kLines) {
    char* stream = std::strchr(record, ' ');
    if (stream == nullptr || std::strlen(stream) < 10 || stream[7] != ' ' || stream[9] != ' ') {
      return damaged();
    }
    *stream = 0;
    const bool whole = stream[8] == 'F';
    char* text = stream + 10;
    size_t length = size - 1 - static_cast<size_t>(text - record);
    if (whole) {
      text[length++] = '\n';
    }
    return put(std::strncmp(stream + 1, "stderr", 6) == 0, record, text, length);
  }
  char* text = json_value(record, "{\"log\":\"");
  char* end = nullptr;
  size_t length = 0;
  if (text == nullptr || !unescape(text, length, end)) {
    return damaged();
  }
  char* time = json_value(end, "\"time\":\"");
  if (time == nullptr) {
    return damaged();
  }
  const bool error = std::strstr(end, "\"stream\":\"stderr\"") != nullptr;
  time[std::strcspn(time, "\"")] = 0;
  return put(error, time, text, length);
}

Failure LogReader::put(bool error, const char* time, const char* text, size_t size) {
  bool& begins = begins_[error ? 1 : 0];
  const bool stamped = begins && times_;
  const bool ends = size > 0 && text[size - 1] == '\n';
  const bool shown = !counts_ && lines_ >= skip_;
  lines_ += ends ? 1 : 0;
  begins = ends;
  if (!shown) {
    return kOk;
  }
  const int fd = error ? STDERR_FILENO : STDOUT_FILENO;
  if (stamped) {
    char stamp[64];
    sys::Text out(stamp);
    out.add(time).add(" ");
    TSRUNC_TRY(sys::write_all(fd, out.c_str(), out.size(), error ? "stderr" : "stdout"));
  }
  return sys::write_all(fd, text, size, error ? "stderr" : "stdout");
}

}  // namespace tsrunc::launcher
