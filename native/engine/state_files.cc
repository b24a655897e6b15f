// The files in the state directory: the saved plan, the state, the journal.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "engine/journal.h"
#include "engine/saved_state.h"
#include "engine/state_dir.h"
#include "sys/crc32c.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

// Plans are some ten kilobytes; config.json is in it and may be large.
constexpr off_t kLargestPlan = 256 << 20;

[[nodiscard]] sys::Text words(sys::Array<char>& memory) noexcept {
  constexpr size_t kRoom = 4096;
  memory.resize(kRoom);
  return {memory.data(), kRoom};
}

}  // namespace

Failure StateDir::damaged(int code, const char* file, const Damaged& how) const noexcept {
  sys::Text text = words(damage_);
  text.add("the saved ").add(file).add(" (the file \"").add(file).add("\") is damaged: ");
  text.add(how.before).add(uint64_t{how.number}).add(how.behind);
  return sys::fail(code, "read", path_, damage_.data());
}

Failure StateDir::check_plan(const uint8_t* data, size_t size, wire::Arena& arena,
                             wire::Plan& out) const noexcept {
  uint32_t sum = 0;
  if (size <= sizeof sum) {
    return damaged(ENODATA, "plan", {"it has ", size, " bytes"});
  }
  const size_t length = size - sizeof sum;
  std::memcpy(&sum, data + length, sizeof sum);
  if (sys::crc32c(data, length) != sum) {
    return damaged(ENODATA, "plan", {"the checksum of its ", size, " bytes is wrong"});
  }
  if (!wire::decode_plan(data, length, arena, out)) {
    out = {};
    return sys::fail(ENODATA, "read", path_,
                     "the saved plan (the file \"plan\") was made by another version of tsrunc");
  }
  return kOk;
}

const char* StateDir::named(const char* file) const noexcept {
  return words(named_).add(path_).add("/").add(file).c_str();
}

Failure StateDir::of_file(Failure failure, const char* file) const noexcept {
  if (failure) {
    failure.path = named(file);
  }
  return failure;
}

Failure StateDir::load_plan(wire::Plan& out) {
  const UniqueFd fd(::openat(fd_.get(), "plan", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    return errno == ENOENT ? sys::fail(ENODATA, "open", path_, kNoPlan) : of_file(sys::fail("open"), "plan");
  }
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) {
    return of_file(sys::fail("fstat"), "plan");
  }
  if (about.st_size <= 0 || about.st_size > kLargestPlan) {
    return damaged(ENODATA, "plan", {"it has ", static_cast<size_t>(about.st_size), " bytes"});
  }
  // Read, not mapped from the file: a file that became shorter later would end the process (SIGBUS).
  const auto size = static_cast<size_t>(about.st_size);
  const size_t bytes = (size + 15) & ~size_t{15};
  const size_t arena_bytes = wire::arena_size(size);
  void* memory = ::mmap(nullptr, bytes + arena_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return of_file(sys::fail("mmap"), "plan");
  }
  if (mapped_ != nullptr) {
    (void)::munmap(mapped_, mapped_size_);
  }
  mapped_ = memory;
  mapped_size_ = bytes + arena_bytes;
  auto* data = static_cast<uint8_t*>(memory);
  TSRUNC_TRY(of_file(sys::read_exactly(fd.get(), data, size, nullptr), "plan"));
  wire::Arena arena(data + bytes, arena_bytes);
  return check_plan(data, size, arena, out);
}

Failure StateDir::load_state(SavedState& out) const {
  char text[kLargestStateText];
  const auto length = sys::read_file(fd_.get(), "state", text, sizeof text);
  if (!length.ok() && length.failure().code == ENOENT) {
    return sys::fail(ENODATA, "open", path_, "the container was not created completely");
  }
  if (!length.ok() && length.failure().code == EFBIG) {
    return damaged(EBADMSG, "state", {"it has more than ", sizeof text - 1, " bytes"});
  }
  if (!length.ok()) {
    return sys::fail(length.failure().code, length.failure().call, named("state"), nullptr);
  }
  size_t at = 0;
  const Copies copies = read_state_text(text, *length, out, at);
  journal_size_ = copies == Copies::kNone ? 0 : out.journal_size;
  switch (copies) {
    case Copies::kBoth:
      return kOk;
    case Copies::kOne:
      return damaged(EBADMSG, "state", {"byte ", at, " is not as it was written"});
    case Copies::kNone:
      break;
  }
  return damaged(EBADMSG, "state", {"neither copy in its ", *length, " bytes is whole"});
}

namespace {

// -1: with errno.
[[nodiscard]] off_t journal_length(int dir) noexcept {
  struct stat about {};
  return ::fstatat(dir, "journal", &about, AT_SYMLINK_NOFOLLOW) == 0 ? about.st_size : -1;
}

}  // namespace

Failure StateDir::draft_state(const SavedState& state) {
  const off_t length = journal_length(fd_.get());
  if (length < 0) {
    return of_file(sys::fail("fstatat"), "journal");
  }
  drafted_init_ = {};
  SavedState whole = state;
  whole.journal_size = static_cast<uint64_t>(length);
  char buffer[kLargestStateText];
  sys::Text text(buffer);
  write_state_text(text, whole);
  {
    const UniqueFd fd(
        ::openat(fd_.get(), "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) {
      return of_file(sys::fail("open"), "state.new");
    }
    TSRUNC_TRY(of_file(sys::write_all(fd.get(), text.c_str(), text.size(), nullptr), "state.new"));
  }
  drafted_init_ = whole.init;
  drafted_size_ = whole.journal_size;
  return kOk;
}

bool StateDir::has_draft(const ProcessId& init) const {
  if (drafted_init_.pid == 0 || drafted_init_.pid != init.pid ||
      drafted_init_.start_time != init.start_time) {
    return false;
  }
  const off_t length = journal_length(fd_.get());
  return length >= 0 && drafted_size_ == static_cast<uint64_t>(length);
}

Failure StateDir::publish_draft() const {
  return ::renameat(fd_.get(), "state.new", fd_.get(), "state") == 0
             ? kOk
             : of_file(sys::fail("rename"), "state.new");
}

Failure StateDir::journal(const char* kind, const char* path) const {
  char line[512];
  sys::Text text(line);
  return write_journal_line(text, kind, path) ? append_to_journal(text) : journal_long(kind, path);
}

[[gnu::noinline]] Failure StateDir::journal_long(const char* kind, const char* path) const {
  char line[2 * 4096 + 256];
  sys::Text text(line);
  return write_journal_line(text, kind, path)
             ? append_to_journal(text)
             : sys::fail(ENAMETOOLONG, "write", path, "the path is too long for the journal");
}

Failure StateDir::append_to_journal(const sys::Text& line) const {
  if (!journal_.valid()) {
    auto fd = open_file("journal", O_WRONLY | O_APPEND);
    if (!fd.ok()) {
      return fd.failure();
    }
    journal_ = std::move(*fd);
  }
  return of_file(sys::write_once(journal_.get(), line.c_str(), line.size(), nullptr), "journal");
}

Result<UniqueFd> StateDir::open_file(const char* name, int flags) const {
  for (;;) {
    UniqueFd fd(::openat(fd_.get(), name, flags | O_NOFOLLOW | O_CLOEXEC));
    if (fd.valid()) {
      return fd;
    }
    if (errno != EINTR) {
      return of_file(sys::fail("open"), name);
    }
  }
}

}  // namespace tsrunc::engine
