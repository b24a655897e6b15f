#include "engine/saved_state.h"

#include <algorithm>
#include <cstring>

#include "sys/checksum_text.h"

namespace tsrunc::engine {
namespace {

constexpr char kMagic[] = "tsrunc-state 2\n";
constexpr char kSum[] = "sum ";

void add_copy(sys::Text& out, const SavedState& state) noexcept {
  const size_t from = out.size();
  out.add(kMagic).add("pid ").add(static_cast<uint64_t>(state.init.pid));
  out.add("\nstart ").add(state.init.start_time).add("\ncreated ").add(state.created);
  out.add("\nowner ").add(static_cast<uint64_t>(state.owner.pid));
  out.add("\nowner-start ").add(state.owner.start_time);
  out.add("\njournal ").add(state.journal_size).add("\n").add(kSum);
  const sys::ChecksumText sum(out.c_str() + from, out.size() - from);
  out.add(sum.text, sizeof sum.text).add("\n");
}

// Reads one copy, line by line. Once something is not as it was written nothing is.
class Reader {
 public:
  Reader(const char* text, size_t size) noexcept : text_(text), left_(size) {}

  [[nodiscard]] bool word(const char* wanted) noexcept {
    const size_t length = std::strlen(wanted);
    if (left_ < length || std::memcmp(text_ + at_, wanted, length) != 0) {
      return false;
    }
    move(length);
    return true;
  }

  [[nodiscard]] bool number(const char* key, uint64_t largest, uint64_t& out) noexcept {
    if (!word(key)) {
      return false;
    }
    uint64_t value = 0;
    size_t digits = 0;
    for (; left_ > 0 && text_[at_] >= '0' && text_[at_] <= '9'; ++digits, move(1)) {
      const auto digit = static_cast<uint64_t>(text_[at_] - '0');
      if (value > (largest - digit) / 10) {
        return false;
      }
      value = value * 10 + digit;
    }
    out = value;
    return digits > 0 && word("\n");
  }

  template <size_t N>
  [[nodiscard]] bool line(const char* key, char (&out)[N]) noexcept {
    if (!word(key)) {
      return false;
    }
    const void* end = std::memchr(text_ + at_, '\n', left_);
    if (end == nullptr) {
      return false;
    }
    const auto length = static_cast<size_t>(static_cast<const char*>(end) - (text_ + at_));
    if (length >= N) {
      return false;
    }
    std::memcpy(out, text_ + at_, length);
    out[length] = 0;
    move(length + 1);
    return true;
  }

  // The checksum of everything read so far.
  [[nodiscard]] bool sum() noexcept {
    const sys::ChecksumText own(text_, at_);
    if (left_ <= sizeof own.text || std::memcmp(text_ + at_, own.text, sizeof own.text) != 0) {
      return false;
    }
    move(sizeof own.text);
    return word("\n");
  }

  [[nodiscard]] size_t at() const noexcept { return at_; }

 private:
  void move(size_t bytes) noexcept {
    at_ += bytes;
    left_ -= bytes;
  }

  const char* text_;
  size_t at_ = 0;
  size_t left_;
};

// The length of the whole copy at the start of `text`, or 0.
[[nodiscard]] size_t read_copy(const char* text, size_t size, SavedState& out) noexcept {
  Reader in(text, size);
  SavedState state;
  uint64_t pid = 0;
  uint64_t owner = 0;
  if (!in.word(kMagic) || !in.number("pid ", INT32_MAX, pid) ||
      !in.number("start ", UINT64_MAX, state.init.start_time) || !in.line("created ", state.created) ||
      !in.number("owner ", INT32_MAX, owner) ||
      !in.number("owner-start ", UINT64_MAX, state.owner.start_time) ||
      !in.number("journal ", UINT64_MAX, state.journal_size) || !in.word(kSum) || !in.sum() || pid == 0) {
    return 0;
  }
  state.init.pid = static_cast<pid_t>(pid);
  state.owner.pid = static_cast<pid_t>(owner);
  out = state;
  return in.at();
}

// The first byte in which the file is not `copy` twice.
[[nodiscard]] size_t first_difference(const char* text, size_t size, const char* copy,
                                      size_t length) noexcept {
  for (size_t at = 0; at < std::min(size, 2 * length); ++at) {
    if (text[at] != copy[at % length]) {
      return at;
    }
  }
  return std::min(size, 2 * length);
}

}  // namespace

void write_state_text(sys::Text& out, const SavedState& state) noexcept {
  add_copy(out, state);
  add_copy(out, state);
}

Copies read_state_text(const char* text, size_t size, SavedState& out, size_t& at) noexcept {
  for (size_t from = 0; from < size; ++from) {
    const size_t length = read_copy(text + from, size - from, out);
    if (length == 0) {
      continue;
    }
    at = first_difference(text, size, text + from, length);
    return size == 2 * length && at == size ? Copies::kBoth : Copies::kOne;
  }
  at = 0;
  return Copies::kNone;
}

}  // namespace tsrunc::engine
