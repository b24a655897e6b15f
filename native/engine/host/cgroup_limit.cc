// setCgroupLimit: a value for a file of a cgroup, and a look at whether the kernel took it.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/host/cgroup_file.h"
#include "engine/host_context.h"
#include "sys/array.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// CHECKS and UNDO of src/plan/cgroup/read-back.ts.
enum class Check : uint32_t { kNone, kNumber, kText, kEntry };
enum class Undo : uint32_t { kNone, kWhole, kLine, kValue, kGiven };

// A line, or a part of one; not ended by NUL.
struct Piece {
  const char* data = nullptr;
  size_t size = 0;
};

[[nodiscard]] Piece first_line(const char* text) noexcept {
  return {text, std::strcspn(text, "\n")};
}

[[nodiscard]] bool has_word(Piece line, const char* word, size_t length) noexcept {
  for (size_t at = 0; at < line.size;) {
    const size_t begin = at;
    while (at < line.size && line.data[at] != ' ') {
      ++at;
    }
    if (at - begin == length && std::memcmp(line.data + begin, word, length) == 0) {
      return true;
    }
    ++at;
  }
  return false;
}

// The line whose first word is `key`; data is nullptr where there is none.
[[nodiscard]] Piece line_of(const char* text, const wire::Str& key) noexcept {
  for (const char* at = text; *at != 0;) {
    const Piece line = first_line(at);
    const bool same = line.size >= key.size && std::memcmp(line.data, key.data, key.size) == 0;
    if (same && (line.size == key.size || line.data[key.size] == ' ')) {
      return line;
    }
    at += line.size + (at[line.size] == '\n' ? 1 : 0);
  }
  return {};
}

// "max" and what is below zero is no limit: the greatest number.
[[nodiscard]] bool number_within(const char* text, uint64_t least, uint64_t most) noexcept {
  char* end = nullptr;
  const bool none = *text == '-' || std::strncmp(text, "max", 3) == 0;
  const uint64_t number = none ? UINT64_MAX : std::strtoull(text, &end, 10);
  return (none || end != text) && number >= least && number <= most;
}

[[nodiscard]] bool has_words(Piece line, const char* words) noexcept {
  for (const char* at = words; *at != 0;) {
    const size_t length = std::strcspn(at, " ");
    if (!has_word(line, at, length)) {
      return false;
    }
    at += length + std::strspn(at + length, " ");
  }
  return line.data != nullptr;
}

// All of a small file from its beginning: one pread(2), more where it is longer than any limit of one value.
[[nodiscard]] Failure read_again(int fd, const char* file, sys::Array<char>& out) {
  constexpr size_t kStep = 4096;
  out.clear();
  for (;;) {
    const size_t have = out.size();
    out.resize(have + kStep);
    const ssize_t got = ::pread(fd, out.data() + have, kStep - 1, static_cast<off_t>(have));
    if (got < 0 && errno != EINTR) {
      return sys::fail("read", file);
    }
    const size_t added = got < 0 ? 0 : static_cast<size_t>(got);
    out.resize(have + added);
    if (got >= 0 && added < kStep - 1) {
      out.push(0);
      return kOk;
    }
  }
}

class Limit {
 public:
  Limit(HostContext& context, const wire::SetCgroupLimit& op, uint32_t index) noexcept
      : context_(context),
        op_(op),
        file_(op.files.items[index]),
        value_(op.values.items[index]),
        text_(op.texts.items[index]) {}

  [[nodiscard]] Failure set() {
    const int flags = reads() ? O_RDWR : O_WRONLY;
    const UniqueFd fd(::open(file_, flags | O_CLOEXEC));
    if (!fd.valid()) {
      return sys::fail("open", file_);
    }
    if (undo() != Undo::kNone) {
      TSRUNC_TRY(note_old(fd.get()));
    }
    const Failure failure = sys::write_once(fd.get(), value_, std::strlen(value_), file_);
    if (failure) {
      return refused_value(context_, failure, file_, value_);
    }
    return check() == Check::kNone ? kOk : verify(fd.get());
  }

 private:
  [[nodiscard]] Check check() const noexcept { return static_cast<Check>(op_.check); }
  [[nodiscard]] Undo undo() const noexcept { return static_cast<Undo>(op_.undo); }
  [[nodiscard]] bool reads() const noexcept {
    return check() != Check::kNone || (undo() != Undo::kNone && undo() != Undo::kGiven);
  }

  [[nodiscard]] Failure note_old(int fd) {
    if (undo() == Undo::kGiven) {
      context_.cgroup_undo.note_file(op_.key.data, op_.absent.data, op_.absent.size);
      return kOk;
    }
    sys::Array<char> text;
    TSRUNC_TRY(read_again(fd, file_, text));
    if (undo() == Undo::kWhole) {
      const Piece line = first_line(text.data());
      context_.cgroup_undo.note_file(file_, line.data, line.size);
      return kOk;
    }
    const Piece line = line_of(text.data(), op_.key);
    if (line.data == nullptr) {
      context_.cgroup_undo.note_file(file_, op_.absent.data, op_.absent.size);
    } else {
      const size_t skipped = undo() == Undo::kValue && line.size > op_.key.size ? op_.key.size + 1 : 0;
      context_.cgroup_undo.note_file(file_, line.data + skipped, line.size - skipped);
    }
    return kOk;
  }

  [[nodiscard]] bool is_taken(const char* text) const noexcept {
    const Piece line = first_line(text);
    switch (check()) {
      case Check::kNumber:
        return number_within(text, op_.least, op_.most);
      case Check::kText:
        return line.size == std::strlen(text_) && std::memcmp(line.data, text_, line.size) == 0;
      case Check::kEntry:
        return has_words(line_of(text, op_.key), text_);
      case Check::kNone:
        break;
    }
    return true;
  }

  [[nodiscard]] Failure verify(int fd) {
    sys::Array<char> text;
    TSRUNC_TRY(read_again(fd, file_, text));
    if (is_taken(text.data())) {
      return kOk;
    }
    Piece line = check() == Check::kEntry ? line_of(text.data(), op_.key) : first_line(text.data());
    line.size = line.size < 200 ? line.size : 200;
    const size_t shown = std::strcspn(value_, "\n");
    sys::Text out(context_.detail);
    out.add("value \"").add(value_, shown < 200 ? shown : 200).add("\" for ").add(file_);
    out.add(" was not taken: the kernel has ");
    if (line.data == nullptr) {
      out.add("no line for \"").add(op_.key.data).add("\"");
    } else {
      out.add("\"").add(line.data, line.size).add("\"");
    }
    out.add(" (").add(op_.advice.data).add(")");
    return sys::fail(EIO, "read", file_, context_.detail);
  }

  HostContext& context_;
  const wire::SetCgroupLimit& op_;
  const char* file_;
  const char* value_;
  const char* text_;
};

}  // namespace

Failure run(HostContext& context, const wire::SetCgroupLimit& op) {
  const uint32_t count = op.files.count;
  if (count == 0 || op.values.count != count || op.texts.count != count) {
    return sys::fail(EINVAL, "plan", nullptr, "the lists of files, values and texts do not fit");
  }
  for (uint32_t i = 0; i < count; ++i) {
    const Failure failure = Limit(context, op, i).set();
    if (!is_missing_file(failure)) {
      return failure;
    }
  }
  if (op.if_any) {
    return kOk;
  }
  if (count == 1) {
    return missing_file(context, op.files.items[0]);
  }
  sys::Text missing(context.detail);
  missing.add("this kernel has none of ");
  for (uint32_t i = 0; i < count; ++i) {
    missing.add(i == 0 ? "" : ", ").add(op.files.items[i]);
  }
  return sys::fail(ENOENT, "open", op.files.items[0], context.detail);
}

}  // namespace tsrunc::engine
