// The files in the state directory: the saved plan, the state, the journal.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/state_dir.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

constexpr char kStateMagic[] = "tsrunc-state 1\n";
// Plans are some ten kilobytes; config.json is in it and may be large.
constexpr off_t kLargestPlan = 256 << 20;

// The number after `key` at the start of `line`; `line` moves behind its newline.
[[nodiscard]] bool read_number(const char*& line, const char* key, uint64_t& out) noexcept {
  const size_t length = std::strlen(key);
  if (std::strncmp(line, key, length) != 0 || line[length] < '0' || line[length] > '9') {
    return false;
  }
  char* end = nullptr;
  errno = 0;
  out = std::strtoull(line + length, &end, 10);
  if (errno != 0 || *end != '\n') {
    return false;
  }
  line = end + 1;
  return true;
}

[[nodiscard]] bool parse_state(const char* text, SavedState& out) noexcept {
  if (std::strncmp(text, kStateMagic, sizeof kStateMagic - 1) != 0) {
    return false;
  }
  const char* line = text + sizeof kStateMagic - 1;
  uint64_t pid = 0;
  SavedState state;
  if (!read_number(line, "pid ", pid) || !read_number(line, "start ", state.init.start_time) || pid == 0 ||
      pid > INT32_MAX || std::strncmp(line, "created ", 8) != 0) {
    return false;
  }
  const char* created = line + 8;
  const char* end = std::strchr(created, '\n');
  if (end == nullptr || static_cast<size_t>(end - created) >= sizeof state.created) {
    return false;
  }
  std::memcpy(state.created, created, static_cast<size_t>(end - created));
  state.init.pid = static_cast<pid_t>(pid);
  out = state;
  return true;
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

}  // namespace

Failure StateDir::load_plan(wire::Plan& out) {
  const UniqueFd fd(::openat(fd_.get(), "plan", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    return errno == ENOENT ? sys::fail(ENODATA, "open", path_,
                                       "there is no plan: create was interrupted before it saved it, or "
                                       "delete after it removed it")
                           : sys::fail("open", path_);
  }
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) {
    return sys::fail("fstat", path_);
  }
  if (about.st_size <= 0 || about.st_size > kLargestPlan) {
    return sys::fail(
        ENODATA, "read", path_,
        "there is no plan: create was interrupted before it saved it, or delete after it removed it");
  }
  // Read, not mapped from the file: a file that became shorter later would end the process (SIGBUS).
  const auto size = static_cast<size_t>(about.st_size);
  const size_t bytes = (size + 15) & ~size_t{15};
  const size_t arena_bytes = wire::arena_size(size);
  void* memory = ::mmap(nullptr, bytes + arena_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return sys::fail("mmap", path_);
  }
  if (mapped_ != nullptr) {
    (void)::munmap(mapped_, mapped_size_);
  }
  mapped_ = memory;
  mapped_size_ = bytes + arena_bytes;
  auto* data = static_cast<uint8_t*>(memory);
  TSRUNC_TRY(sys::read_exactly(fd.get(), data, size, path_));
  wire::Arena arena(data + bytes, arena_bytes);
  if (!wire::decode_plan(data, size, arena, out)) {
    out = {};
    return sys::fail(
        ENODATA, "read", path_,
        "the saved plan (the file \"plan\") is damaged or was made by another version of tsrunc");
  }
  return kOk;
}

Failure StateDir::load_state(SavedState& out) const {
  char text[256];
  const auto length = sys::read_file(fd_.get(), "state", text, sizeof text);
  if (!length.ok() && length.failure().code == ENOENT) {
    return sys::fail(ENODATA, "open", path_, "the container was not created completely");
  }
  if (!length.ok()) {
    return sys::fail(length.failure().code, length.failure().call, path_, nullptr);
  }
  return parse_state(text, out)
             ? kOk
             : sys::fail(EBADMSG, "read", path_, "the saved state (the file \"state\") is damaged");
}

Failure StateDir::save_state(const SavedState& state) const {
  char buffer[256];
  sys::Text text(buffer);
  text.add(kStateMagic).add("pid ").add(static_cast<uint64_t>(state.init.pid));
  text.add("\nstart ").add(state.init.start_time).add("\ncreated ").add(state.created).add("\n");
  {
    const UniqueFd fd(
        ::openat(fd_.get(), "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) {
      return sys::fail("open", path_);
    }
    TSRUNC_TRY(sys::write_all(fd.get(), text.c_str(), text.size(), path_));
  }
  return ::renameat(fd_.get(), "state.new", fd_.get(), "state") == 0 ? kOk : sys::fail("rename", path_);
}

Failure StateDir::journal(const char* kind, const char* path) const {
  char line[2 * 4096 + 256];
  sys::Text text(line);
  text.add(kind);
  if (path != nullptr && *path != 0) {
    text.add(" ");
    add_escaped(text, path);
  }
  text.add("\n");
  if (text.cut()) {
    return sys::fail(ENAMETOOLONG, "write", path, "the path is too long for the journal");
  }
  auto fd = open_journal();
  if (!fd.ok()) {
    return fd.failure();
  }
  return sys::write_once(fd->get(), line, text.size(), path_);
}

Result<UniqueFd> StateDir::open_journal() const {
  return open_file("journal", O_RDWR | O_APPEND);
}

Result<UniqueFd> StateDir::open_file(const char* name, int flags) const {
  for (;;) {
    UniqueFd fd(::openat(fd_.get(), name, flags | O_NOFOLLOW | O_CLOEXEC));
    if (fd.valid()) {
      return fd;
    }
    if (errno != EINTR) {
      return sys::fail("open", path_);
    }
  }
}

}  // namespace tsrunc::engine
