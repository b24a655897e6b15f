#include "engine/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "sys/checksum_text.h"
#include "sys/small_file.h"

namespace tsrunc::engine {
namespace {

// Undoes the escapes of StateDir::journal in place.
void unescape(char* text) noexcept {
  char* out = text;
  for (const char* at = text; *at != 0; ++at) {
    if (*at == '\\' && (at[1] == '\\' || at[1] == 'n')) {
      ++at;
      *out++ = *at == 'n' ? '\n' : '\\';
    } else {
      *out++ = *at;
    }
  }
  *out = 0;
}

// The path with what would break the line format escaped, into `out`.
void add_escaped(sys::Text& out, const char* path) noexcept {
  for (const char* at = path; *at != 0; ++at) {
    if (*at == '\n') {
      out.add("\\n");
    } else if (*at == '\\') {
      out.add("\\\\");
    } else {
      out.add(at, 1);
    }
  }
}

// Eight digits and a blank.
constexpr size_t kSumSize = sizeof(sys::ChecksumText::text) + 1;

// Whether the line, without its newline, is as it was written.
[[nodiscard]] bool is_sound(const char* line, size_t length) noexcept {
  if (length <= kSumSize || line[kSumSize - 1] != ' ') {
    return false;
  }
  const sys::ChecksumText own(line + kSumSize, length - kSumSize);
  return std::memcmp(line, own.text, sizeof own.text) == 0;
}

}  // namespace

bool write_journal_line(sys::Text& out, const char* kind, const char* path) noexcept {
  const size_t from = out.size();
  out.add("00000000 ").add(kind);
  if (path != nullptr && *path != 0) {
    out.add(" ");
    add_escaped(out, path);
  }
  if (out.cut()) {
    return false;
  }
  const sys::ChecksumText sum(out.c_str() + from + kSumSize, out.size() - from - kSumSize);
  out.replace(from, sum.text, sizeof sum.text);
  return !out.add("\n").cut();
}

sys::Failure Journal::load(const StateDir& dir) {
  text_.clear();
  if (sys::Failure failure = sys::read_whole(dir.fd(), "journal", text_); failure && failure.code != ENOENT) {
    failure.path = dir.path();
    return failure;
  }
  // A delete that was interrupted has removed the plan first and then, perhaps, the journal.
  const bool deleted = text_.empty() && ::faccessat(dir.fd(), "plan", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
  split(deleted ? 0 : dir.journal_size());
  return sys::kOk;
}

void Journal::parse(const char* text, size_t size, uint64_t least) {
  text_.clear();
  text_.append(text, size);
  split(least);
}

void Journal::note_damage(size_t at) noexcept {
  if (!damage_.any) {
    damage_ = {true, at, line_};
  }
}

void Journal::split(uint64_t least) {
  entries_.clear();
  damage_ = {};
  line_ = 0;
  size_t at = 0;
  while (at < text_.size()) {
    ++line_;
    char* line = text_.data() + at;
    auto* end = static_cast<char*>(std::memchr(line, '\n', text_.size() - at));
    if (end == nullptr) {
      // Whole but for its last byte: that was the newline.
      if (at < least || is_sound(line, text_.size() - at - 1)) {
        note_damage(at);
      }
      return;
    }
    const auto length = static_cast<size_t>(end - line);
    if (is_sound(line, length)) {
      *end = 0;
      split_line(line + kSumSize, length - kSumSize);
    } else {
      note_damage(at);
    }
    at += length + 1;
  }
  if (at < least) {
    ++line_;
    note_damage(at);
  }
}

void Journal::split_line(char* line, size_t length) {
  char* blank = std::strchr(line, ' ');
  if (blank != nullptr) {
    *blank = 0;
    unescape(blank + 1);
  }
  entries_.push({line, blank != nullptr ? blank + 1 : line + length});
}

bool Journal::has(const char* kind, const char* path) const noexcept {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (std::strcmp(entries_[i].kind, kind) == 0 && std::strcmp(entries_[i].path, path) == 0) {
      return true;
    }
  }
  return false;
}

bool Journal::has(const char* kind) const noexcept {
  for (const JournalEntry& entry : entries_) {
    if (std::strcmp(entry.kind, kind) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace tsrunc::engine
