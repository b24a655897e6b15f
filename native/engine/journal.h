// Reading a container's journal. A line without a newline was torn by a crash: its effect was not begun,
// because every line is written before what it speaks of.
#pragma once

#include <cstddef>

#include "engine/state_dir.h"
#include "sys/array.h"
#include "sys/result.h"

namespace tsrunc::engine {

struct JournalEntry {
  const char* kind = "";
  char* path = nullptr;  // unescaped; "" if the line has none
};

class Journal {
 public:
  // ENOENT is no failure: nothing was begun.
  [[nodiscard]] sys::Failure load(const StateDir& dir);
  // Takes a journal's text. Lines of a form that is not known are kept; the reader of the entries skips them.
  void parse(const char* text, size_t size);

  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] const JournalEntry& operator[](size_t index) const noexcept { return entries_[index]; }
  [[nodiscard]] bool has(const char* kind) const noexcept;
  [[nodiscard]] bool has(const char* kind, const char* path) const noexcept;

 private:
  void split();

  sys::Array<char> text_;
  sys::Array<JournalEntry> entries_;
};

}  // namespace tsrunc::engine
