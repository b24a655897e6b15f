#include "engine/journal.h"

#include <cstring>

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

}  // namespace

sys::Failure Journal::load(const StateDir& dir) {
  text_.clear();
  if (sys::Failure failure = sys::read_whole(dir.fd(), "journal", text_); failure && failure.code != ENOENT) {
    failure.path = dir.path();
    return failure;
  }
  split();
  return sys::kOk;
}

void Journal::parse(const char* text, size_t size) {
  text_.clear();
  text_.append(text, size);
  split();
}

void Journal::split() {
  entries_.clear();
  for (size_t at = 0; at < text_.size();) {
    char* line = text_.data() + at;
    auto* end = static_cast<char*>(std::memchr(line, '\n', text_.size() - at));
    if (end == nullptr) {
      return;
    }
    *end = 0;
    at += static_cast<size_t>(end - line) + 1;
    char* blank = std::strchr(line, ' ');
    if (blank != nullptr) {
      *blank = 0;
      unescape(blank + 1);
    }
    entries_.push({line, blank != nullptr ? blank + 1 : end});
  }
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
