#include "launcher/expression.h"

#include <cstring>

#include "sys/characters.h"

namespace tsrunc::launcher {
namespace {

constexpr int kNoLimit = -1;
constexpr int kMostRepeats = 255;  // RE_DUP_MAX of POSIX
constexpr int kDeepest = 100;
constexpr size_t kMostSteps = 10000;

[[nodiscard]] constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
[[nodiscard]] constexpr bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return is_lower(c) || is_upper(c);
}
[[nodiscard]] constexpr bool is_word(char c) noexcept {
  return is_letter(c) || sys::is_digit(c);
}
[[nodiscard]] constexpr bool is_visible(char c) noexcept {
  return c > ' ' && c <= '~';
}

struct Class {
  const char* name;
  bool (*has)(char c);
};
constexpr Class kClasses[] = {
    {"alpha", is_letter},
    {"digit", sys::is_digit},
    {"alnum", is_word},
    {"upper", is_upper},
    {"lower", is_lower},
    {"space", sys::is_space},
    {"blank", [](char c) { return c == ' ' || c == '\t'; }},
    {"punct", [](char c) { return is_visible(c) && !is_word(c); }},
    {"graph", is_visible},
    {"print", [](char c) { return is_visible(c) || c == ' '; }},
    {"cntrl", [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }},
    {"xdigit", [](char c) { return sys::is_digit(c) || (sys::upper(c) >= 'A' && sys::upper(c) <= 'F'); }},
};

}  // namespace

bool Expression::fail(const char* why) noexcept {
  error_ = why;
  return false;
}

bool Expression::compile(const char* text) noexcept {
  steps_.clear();
  at_ = text;
  depth_ = 0;
  if (!parse_choice()) {
    return false;
  }
  return *at_ == ')' ? fail("a ) without its (") : emit(Step{});
}

bool Expression::emit(const Step& step) noexcept {
  if (steps_.size() >= kMostSteps) {
    return fail("it is too large");
  }
  steps_.push(step);
  return true;
}

bool Expression::emit_fork(int32_t one, int32_t other) noexcept {
  Step step;
  step.kind = Kind::kFork;
  step.one = one;
  step.other = other;
  return emit(step);
}

bool Expression::parse_choice() noexcept {
  const size_t from = steps_.size();
  if (++depth_ > kDeepest) {
    return fail("it is nested too deeply");
  }
  if (!parse_sequence()) {
    return false;
  }
  while (*at_ == '|') {
    ++at_;
    // What is there already becomes the one branch: fork, branch, jump over the other.
    const size_t size = steps_.size() - from;
    if (!emit(Step{})) {
      return false;
    }
    std::memmove(static_cast<void*>(steps_.data() + from + 1), steps_.data() + from, size * sizeof(Step));
    Step fork;
    fork.kind = Kind::kFork;
    fork.other = static_cast<int32_t>(size) + 2;
    steps_[from] = fork;
    const size_t jump = steps_.size();
    if (!emit_fork(1, 1) || !parse_sequence()) {
      return false;
    }
    steps_[jump].one = steps_[jump].other = static_cast<int32_t>(steps_.size() - jump);
  }
  --depth_;
  return true;
}

bool Expression::parse_sequence() noexcept {
  while (*at_ != 0 && *at_ != '|' && *at_ != ')') {
    const size_t from = steps_.size();
    if (!parse_atom() || !parse_repeats(from)) {
      return false;
    }
  }
  return true;
}

bool Expression::parse_atom() noexcept {
  Step step;
  step.kind = Kind::kSet;
  const char c = *at_++;
  switch (c) {
    case '(':
      if (!parse_choice()) {
        return false;
      }
      return *at_++ == ')' ? true : fail("a ( without its )");
    case '[':
      return parse_bracket(step) && emit(step);
    case '\\':
      return parse_escape(step) && emit(step);
    case '.':
      std::memset(step.set, ~0, sizeof step.set);
      return emit(step);
    case '^':
    case '$':
      step.kind = c == '^' ? Kind::kBegin : Kind::kEnd;
      return emit(step);
    case '*':
    case '+':
    case '?':
    case '{':
      return fail("nothing stands before the *, +, ? or {, which repeats what stands before it");
    default:
      step.add(static_cast<unsigned char>(c));
      return emit(step);
  }
}

bool Expression::parse_escape(Step& step) noexcept {
  const char c = *at_;
  if (c == 0) {
    return fail("it ends with a \\");
  }
  if (is_word(c)) {
    return fail("a \\ may stand before a sign only, not before a letter or a digit");
  }
  ++at_;
  step.add(static_cast<unsigned char>(c));
  return true;
}

bool Expression::parse_class(Step& step) noexcept {
  for (const Class& known : kClasses) {
    const size_t length = std::strlen(known.name);
    if (std::strncmp(at_, known.name, length) == 0 && std::strncmp(at_ + length, ":]", 2) == 0) {
      for (char c = '\x7f'; c > 0; --c) {
        if (known.has(c)) {
          step.add(static_cast<unsigned char>(c));
        }
      }
      at_ += length + 2;
      return true;
    }
  }
  return fail("a class [:…:] that regex(7) does not know");
}

// After the '['. A ']' right at the beginning is one of the characters, as is a '-' at either end.
bool Expression::parse_bracket(Step& step) noexcept {
  const bool without = *at_ == '^';
  at_ += without ? 1 : 0;
  const char* begin = at_;
  while (*at_ != ']' || at_ == begin) {
    if (*at_ == 0) {
      return fail("a [ without its ]");
    }
    if (*at_ == '[' && at_[1] == ':') {
      at_ += 2;
      if (!parse_class(step)) {
        return false;
      }
      continue;
    }
    if (*at_ == '[' && (at_[1] == '.' || at_[1] == '=')) {
      return fail("[. and [= have no meaning for names of ASCII");
    }
    const auto first = static_cast<unsigned char>(*at_++);
    const bool range = *at_ == '-' && at_[1] != ']' && at_[1] != 0;
    const auto last = range ? static_cast<unsigned char>(at_[1]) : first;
    at_ += range ? 2 : 0;
    if (last < first) {
      return fail("a range that ends before it begins");
    }
    for (unsigned c = first; c <= last; ++c) {
      step.add(static_cast<unsigned char>(c));
    }
  }
  ++at_;
  for (uint64_t& part : step.set) {
    part = without ? ~part : part;
  }
  return true;
}

bool Expression::parse_repeats(size_t from) noexcept {
  for (;;) {
    const char c = *at_;
    if (c != '*' && c != '+' && c != '?' && c != '{') {
      return true;
    }
    ++at_;
    const bool done =
        c == '{' ? parse_interval(from) : repeat(from, c == '+' ? 1 : 0, c == '?' ? 1 : kNoLimit);
    if (!done) {
      return false;
    }
  }
}

bool Expression::parse_count(int& out) noexcept {
  if (!sys::is_digit(*at_)) {
    return fail("{ takes a number, or two with a comma");
  }
  for (out = 0; sys::is_digit(*at_); ++at_) {
    out = out * 10 + (*at_ - '0');
    if (out > kMostRepeats) {
      return fail("{ takes numbers up to 255");
    }
  }
  return true;
}

bool Expression::parse_interval(size_t from) noexcept {
  int least = 0;
  if (!parse_count(least)) {
    return false;
  }
  int most = least;
  if (*at_ == ',') {
    ++at_;
    most = kNoLimit;
    if (*at_ != '}' && !parse_count(most)) {
      return false;
    }
  }
  if (*at_++ != '}') {
    return fail("a { without its }");
  }
  return most != kNoLimit && most < least ? fail("{ takes the smaller number first")
                                          : repeat(from, least, most);
}

bool Expression::repeat(size_t from, int least, int most) noexcept {
  sys::Array<Step> body;
  body.append(steps_.data() + from, steps_.size() - from);
  const auto size = static_cast<int32_t>(body.size());
  steps_.resize(from);
  const auto add_body = [&]() -> bool {
    for (const Step& step : body) {
      if (!emit(step)) {
        return false;
      }
    }
    return true;
  };
  for (int i = 0; i < least; ++i) {
    if (!add_body()) {
      return false;
    }
  }
  if (most == kNoLimit) {
    return emit_fork(1, size + 2) && add_body() && emit_fork(-size - 1, -size - 1);
  }
  for (int i = least; i < most; ++i) {
    if (!emit_fork(1, size + 1) || !add_body()) {
      return false;
    }
  }
  return true;
}

// Adds `state`, and all that it leads to without a character. An array that grows while it is walked, so that
// a long expression needs no stack.
void Expression::follow(Follow& states, int32_t state, bool first, bool last) const noexcept {
  const auto add = [&states](int32_t wanted) {
    for (const int32_t known : states) {
      if (known == wanted) {
        return;
      }
    }
    states.push(wanted);
  };
  add(state);
  for (size_t i = 0; i < states.size(); ++i) {
    const int32_t at = states[i];
    const Step& step = steps_[static_cast<size_t>(at)];
    if (step.kind == Kind::kFork) {
      add(at + step.one);
      add(at + step.other);
    } else if ((step.kind == Kind::kBegin && first) || (step.kind == Kind::kEnd && last)) {
      add(at + 1);
    }
  }
}

bool Expression::matches(const char* name) const noexcept {
  Follow now;
  Follow next;
  for (const char* at = name;; ++at) {
    follow(now, 0, at == name, *at == 0);
    next.clear();
    for (const int32_t state : now) {
      const Step& step = steps_[static_cast<size_t>(state)];
      if (step.kind == Kind::kDone) {
        return true;
      }
      if (*at != 0 && step.kind == Kind::kSet && step.has(static_cast<unsigned char>(*at))) {
        next.push(state + 1);
      }
    }
    if (*at == 0) {
      return false;
    }
    now.clear();
    now.append(next.data(), next.size());
  }
}

}  // namespace tsrunc::launcher
