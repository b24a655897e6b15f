#include "launcher/monitor_log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/created_time.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

constexpr mode_t kMode = 0640;

// How long the UTF-8 sequence is that begins with this byte (RFC 3629); 0: none does.
[[nodiscard]] size_t sequence_length(unsigned char lead) noexcept {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xc2 && lead <= 0xdf) {
    return 2;
  }
  if ((lead & 0xf0) == 0xe0) {
    return 3;
  }
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

[[nodiscard]] bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

// The length of the whole character at the start of `data`, or 0.
[[nodiscard]] size_t character(const char* data, size_t size) noexcept {
  const size_t length = sequence_length(static_cast<unsigned char>(*data));
  if (length == 0 || length > size || !std::all_of(data + 1, data + length, is_continuation)) {
    return 0;
  }
  const auto second = static_cast<unsigned char>(data[1]);
  const auto first = static_cast<unsigned char>(*data);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return length > 2 && (overlong || outside) ? 0 : length;
}

// How many bytes at the end are the beginning of a character.
[[nodiscard]] size_t unfinished(const char* data, size_t size) noexcept {
  for (size_t back = 1; back <= std::min<size_t>(3, size); ++back) {
    const char byte = data[size - back];
    if (!is_continuation(byte)) {
      return sequence_length(static_cast<unsigned char>(byte)) > back ? back : 0;
    }
  }
  return 0;
}

[[nodiscard]] size_t line_length(const char* data, size_t size) noexcept {
  const void* end = size == 0 ? nullptr : std::memchr(data, '\n', size);
  return end == nullptr ? size : static_cast<size_t>(static_cast<const char*>(end) - data) + 1;
}

void escape(sys::Text& out, const char* data, size_t size) noexcept {
  for (size_t at = 0; at < size;) {
    const size_t length = character(data + at, size - at);
    const char byte = data[at];
    if (length == 0) {
      out.add("\\ufffd");
    } else if (byte == '"' || byte == '\\') {
      const char escaped[] = {'\\', byte};
      out.add(escaped, 2);
    } else if (byte == '\n') {
      out.add("\\n");
    } else if (length == 1 && static_cast<unsigned char>(byte) < 0x20) {
      out.add(byte < 0x10 ? "\\u000" : "\\u00").add(static_cast<uint64_t>(byte), 16);
    } else {
      out.add(data + at, length);
    }
    at += length == 0 ? 1 : length;
  }
}

}  // namespace

MonitorLog::MonitorLog(const MonitorLogOrder& order) noexcept : order_(order), fd_(order.fd) {
  struct stat about {};
  if (fd_.valid() && ::fstat(fd_.get(), &about) == 0) {
    size_ = static_cast<uint64_t>(about.st_size);
  }
}

void MonitorLog::write(bool error, const char* data, size_t size) noexcept {
  if (!fd_.valid()) {
    return;
  }
  engine::format_now(time_, sizeof time_);
  switch (order_.driver) {
    case LogDriver::kRaw:
      append(data, size, size);
      return;
    case LogDriver::kLines:
      write_lines(error, data, size);
      return;
    case LogDriver::kJson:
      write_json(error, data, size);
      return;
    case LogDriver::kNone:
      return;
  }
}

void MonitorLog::finish() noexcept {
  for (const bool error : {false, true}) {
    Carry& carry = carry_[error ? 1 : 0];
    if (carry.size > 0) {
      emit_json(error, carry.data, carry.size);
      carry.size = 0;
    }
  }
}

void MonitorLog::write_lines(bool error, const char* data, size_t size) noexcept {
  while (size > 0) {
    const size_t length = std::min(line_length(data, size), kPiece);
    const bool whole = data[length - 1] == '\n';
    sys::Text text(record_);
    text.add(time_).add(error ? " stderr " : " stdout ").add(whole ? "F " : "P ");
    text.add(data, whole ? length - 1 : length).add("\n");
    append(record_, text.size(), length);
    data += length;
    size -= length;
  }
}

void MonitorLog::write_json(bool error, const char* data, size_t size) noexcept {
  Carry& carry = carry_[error ? 1 : 0];
  char piece[kPiece + sizeof carry.data];
  while (size > 0) {
    const size_t length = std::min(line_length(data, size), kPiece);
    std::memcpy(piece, carry.data, carry.size);
    std::memcpy(piece + carry.size, data, length);
    const size_t all = carry.size + length;
    carry.size = unfinished(piece, all);
    std::memcpy(carry.data, piece + all - carry.size, carry.size);
    if (all > carry.size) {
      emit_json(error, piece, all - carry.size);
    }
    data += length;
    size -= length;
  }
}

void MonitorLog::emit_json(bool error, const char* data, size_t size) noexcept {
  sys::Text text(record_);
  text.add("{\"log\":\"");
  escape(text, data, size);
  text.add("\",\"stream\":\"").add(error ? "stderr" : "stdout").add("\",\"time\":\"").add(time_).add("\"}\n");
  append(record_, text.size(), size);
}

// A record is in the file as a whole, or not at all. `content`: bytes of the process's output in it.
void MonitorLog::append(const char* record, size_t size, size_t content) noexcept {
  if (order_.size_max > 0 && size_ > 0 && size_ + size > order_.size_max) {
    rotate();
  }
  size_t done = 0;
  while (done < size) {
    const ssize_t written = ::write(fd_.get(), record + done, size - done);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      struct stat about {};
      if (done > 0 && ::fstat(fd_.get(), &about) == 0) {
        [[maybe_unused]] const int cut = ::ftruncate(fd_.get(), about.st_size - static_cast<off_t>(done));
      }
      lost_ += content;
      return;
    }
    done += static_cast<size_t>(written);
  }
  size_ += size;
}

void MonitorLog::rotate() noexcept {
  char from[PATH_MAX + 16];
  char to[PATH_MAX + 16];
  for (uint64_t number = order_.files_max; number > 1; --number) {
    sys::Text(to).add(order_.path).add(".").add(number - 1);
    sys::Text text(from);
    text.add(order_.path);
    if (number > 2) {
      text.add(".").add(number - 2);
    }
    (void)::rename(from, to);  // ENOENT: there are not so many yet
  }
  if (order_.files_max <= 1) {
    (void)::unlink(order_.path);
  }
  // Where that fails the old file goes on.
  sys::UniqueFd next(
      ::open(order_.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (next.valid()) {
    fd_ = std::move(next);
    size_ = 0;
  }
}

}  // namespace tsrunc::launcher
