// What CRIU answers: a bounded decoder of criu_resp (rpc.proto), and its log.
#include <cstring>

#include "engine/host/criu.h"
#include "sys/array.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

constexpr uint32_t kRespType = 1;
constexpr uint32_t kRespSuccess = 2;
constexpr uint32_t kRespRestore = 4;
constexpr uint32_t kRespNotify = 5;
constexpr uint32_t kRespErrno = 7;
constexpr uint32_t kRespErrmsg = 9;
constexpr uint32_t kRestorePid = 1;
constexpr uint32_t kNotifyScript = 1;
constexpr uint32_t kNotifyPid = 2;

// One field of a message: a number, or bytes.
struct Field {
  uint32_t number = 0;
  uint64_t value = 0;
  const uint8_t* data = nullptr;
  size_t size = 0;
};

class Reader {
 public:
  Reader(const uint8_t* data, size_t size) noexcept : at_(data), end_(data + size) {}
  [[nodiscard]] bool done() const noexcept { return at_ == end_; }

  [[nodiscard]] bool next(Field& out) noexcept {
    uint64_t key = 0;
    out = {};
    if (!varint(key) || key >> 3 == 0 || key >> 3 > UINT32_MAX) {
      return false;
    }
    out.number = static_cast<uint32_t>(key >> 3);
    switch (key & 7) {
      case 0:
        return varint(out.value);
      case 1:
        return bytes(out, 8);
      case 2:
        return varint(out.value) && bytes(out, out.value);
      case 5:
        return bytes(out, 4);
      default:
        return false;
    }
  }

 private:
  [[nodiscard]] bool varint(uint64_t& out) noexcept {
    out = 0;
    for (unsigned shift = 0; at_ != end_ && shift < 64; shift += 7) {
      const uint8_t byte = *at_++;
      out |= uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool bytes(Field& out, uint64_t size) noexcept {
    if (size > static_cast<uint64_t>(end_ - at_)) {
      return false;
    }
    out.data = at_;
    out.size = static_cast<size_t>(size);
    at_ += size;
    return true;
  }
  const uint8_t* at_;
  const uint8_t* end_;
};

// For a person: what is no printable text becomes a question mark.
template <size_t N>
void copy_text(char (&out)[N], const Field& field) noexcept {
  sys::Text text(out);
  for (size_t i = 0; i < field.size; ++i) {
    const char byte = static_cast<char>(field.data[i]);
    text.add(byte >= ' ' && byte <= '~' ? &byte : "?", 1);
  }
}

[[nodiscard]] bool decode_inner(const Field& message, uint32_t pid_field, CriuResponse& out) noexcept {
  Reader reader(message.data, message.size);
  Field field;
  while (!reader.done()) {
    if (!reader.next(field)) {
      return false;
    }
    if (field.number == pid_field) {
      out.pid = static_cast<int64_t>(field.value);
    } else if (pid_field == kNotifyPid && field.number == kNotifyScript) {
      copy_text(out.script, field);
    }
  }
  return true;
}

void add_line(sys::Text& text, const char* line, size_t size) noexcept {
  for (size_t i = 0; i < size; ++i) {
    text.add(line[i] >= ' ' && line[i] <= '~' ? line + i : "?", 1);
  }
}

// What CRIU calls an error and goes on from, and what only says that a program it called has told its own.
constexpr const char* kNoCause[] = {"Can't setup RLIMIT_NOFILE",
                                    "exited, status=", "tun: Unable to create tun"};

[[nodiscard]] bool contains(const char* line, size_t length, const char* word) noexcept {
  return ::memmem(line, length, word, std::strlen(word)) != nullptr;
}

[[nodiscard]] bool is_cause(const char* line, size_t length) noexcept {
  for (const char* word : kNoCause) {
    if (contains(line, length, word)) {
      return false;
    }
  }
  return contains(line, length, "Error (");
}

// The first lines that tell of an error: the first is the cause, the others are what came of it.
void add_errors(sys::Text& text, const char* log, size_t size) noexcept {
  constexpr int kMostLines = 3;
  int lines = 0;
  for (const char* line = log; line < log + size && lines < kMostLines;) {
    const auto left = static_cast<size_t>(log + size - line);
    const auto* end = static_cast<const char*>(std::memchr(line, '\n', left));
    const size_t length = end == nullptr ? left : static_cast<size_t>(end - line);
    if (is_cause(line, length)) {
      text.add(lines == 0 ? ": " : "; ");
      add_line(text, line, length);
      ++lines;
    }
    line += length + 1;
  }
}

}  // namespace

bool decode_response(const uint8_t* data, size_t size, CriuResponse& out) noexcept {
  Reader reader(data, size);
  Field field;
  while (!reader.done()) {
    if (!reader.next(field)) {
      return false;
    }
    switch (field.number) {
      case kRespType:
        out.type = static_cast<uint32_t>(field.value);
        break;
      case kRespSuccess:
        out.success = field.value != 0;
        break;
      case kRespErrno:
        out.error = static_cast<int32_t>(field.value);
        break;
      case kRespErrmsg:
        copy_text(out.message, field);
        break;
      case kRespRestore:
      case kRespNotify:
        if (!decode_inner(field, field.number == kRespNotify ? kNotifyPid : kRestorePid, out)) {
          return false;
        }
        break;
      default:
        break;
    }
  }
  return true;
}

sys::Failure criu_failure(const CriuResponse& response, int work, const char* work_path, const char* log,
                          char* detail, size_t size) noexcept {
  sys::Text text(detail, size);
  text.add("CRIU could not do it");
  sys::Array<char> content;
  if (!sys::read_whole(work, log, content)) {
    add_errors(text, content.data(), content.size());
  } else if (response.message[0] != 0) {
    text.add(": ").add(response.message);
  }
  text.add("; its log is ").add(work_path).add("/").add(log);
  return sys::fail(sys::kNoErrno, "criu", nullptr, detail);
}

}  // namespace tsrunc::engine
