// Extended regular expressions (regex(7)) for the names of containers, which are ASCII. Not regcomp(3): in a
// static executable it brings collation, wide characters and the loader of their tables, a sixth of the
// whole. All states are followed at once, so that no expression takes more time than its length times the
// name's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/array.h"

namespace tsrunc::launcher {

class Expression {
 public:
  // False: error() says why.
  [[nodiscard]] bool compile(const char* text) noexcept;
  [[nodiscard]] const char* error() const noexcept { return error_; }
  // Somewhere in `name`, unless it is anchored.
  [[nodiscard]] bool matches(const char* name) const noexcept;

 private:
  enum class Kind : uint8_t { kSet, kFork, kBegin, kEnd, kDone };
  struct Step {
    Kind kind = Kind::kDone;
    // kFork: where it goes on, as distances. Two of the same are a jump.
    int32_t one = 1;
    int32_t other = 1;
    uint64_t set[4] = {};  // kSet: a bit a character
    void add(unsigned char c) noexcept { set[c / 64] |= uint64_t{1} << (c % 64); }
    [[nodiscard]] bool has(unsigned char c) const noexcept { return (set[c / 64] >> (c % 64) & 1) != 0; }
  };
  using Follow = sys::Array<int32_t>;

  [[nodiscard]] bool fail(const char* why) noexcept;
  [[nodiscard]] bool parse_choice() noexcept;
  [[nodiscard]] bool parse_sequence() noexcept;
  [[nodiscard]] bool parse_atom() noexcept;
  [[nodiscard]] bool parse_escape(Step& step) noexcept;
  [[nodiscard]] bool parse_bracket(Step& step) noexcept;
  [[nodiscard]] bool parse_class(Step& step) noexcept;
  [[nodiscard]] bool parse_repeats(size_t from) noexcept;
  [[nodiscard]] bool parse_interval(size_t from) noexcept;
  [[nodiscard]] bool parse_count(int& out) noexcept;
  // How often what stands from step `from` on may be there.
  [[nodiscard]] bool repeat(size_t from, int least, int most) noexcept;
  [[nodiscard]] bool emit(const Step& step) noexcept;
  [[nodiscard]] bool emit_fork(int32_t one, int32_t other) noexcept;
  void follow(Follow& states, int32_t state, bool first, bool last) const noexcept;

  sys::Array<Step> steps_;
  const char* at_ = nullptr;
  const char* error_ = nullptr;
  int depth_ = 0;
};

}  // namespace tsrunc::launcher
