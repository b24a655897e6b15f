// A container's journal. A line is "CHECKSUM KIND PATH\n"; one whose checksum is wrong was damaged, and is
// not obeyed. The last line without a newline was torn by a crash: its effect was not begun, because every
// line is written before what it speaks of. What was there when the state was saved (StateDir::journal_size)
// is damaged then, too.
#pragma once

#include <cstddef>

#include "engine/state_dir.h"
#include "sys/array.h"
#include "sys/result.h"
#include "sys/text.h"

namespace tsrunc::engine {

struct JournalEntry {
  const char* kind = "";
  char* path = nullptr;  // unescaped; "" if the line has none
};

// Appends a line to `out`. False: it does not fit.
[[nodiscard]] bool write_journal_line(sys::Text& out, const char* kind, const char* path) noexcept;

class Journal {
 public:
  // The first damage in it.
  struct Damage {
    bool any = false;
    size_t at = 0;    // byte at which the line begins, or at which the file ends too early
    size_t line = 0;  // from 1
  };

  // ENOENT is no failure: nothing was begun.
  [[nodiscard]] sys::Failure load(const StateDir& dir);
  // Takes a journal's text. Lines of a form that is not known are kept; the reader of the entries skips them.
  // `least`: how long it has to be.
  void parse(const char* text, size_t size, uint64_t least = 0);

  [[nodiscard]] const Damage& damage() const noexcept { return damage_; }

  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] const JournalEntry& operator[](size_t index) const noexcept { return entries_[index]; }
  [[nodiscard]] bool has(const char* kind) const noexcept;
  [[nodiscard]] bool has(const char* kind, const char* path) const noexcept;

 private:
  void split(uint64_t least);
  void split_line(char* line, size_t length);
  void note_damage(size_t at) noexcept;

  sys::Array<char> text_;
  sys::Array<JournalEntry> entries_;
  Damage damage_;
  size_t line_ = 0;
};

}  // namespace tsrunc::engine
