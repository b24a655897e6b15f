// HOME for an environment that lacks it, from the container's passwd(5), as the peers do.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/init/init_context.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr unsigned kUidField = 2;
constexpr unsigned kHomeField = 5;

// The start of field `wanted` of a line, with its length; nullptr if there are fewer.
const char* field(const char* line, unsigned wanted, size_t& length) noexcept {
  for (unsigned i = 0; i < wanted; ++i) {
    line = std::strchr(line, ':');
    if (line == nullptr) {
      return nullptr;
    }
    ++line;
  }
  length = std::strcspn(line, ":");
  return line;
}

bool is_number(const char* text, size_t length, uint32_t wanted) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < length; ++i) {
    if (text[i] < '0' || text[i] > '9' || value > UINT32_MAX) {
      return false;
    }
    value = value * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  return length > 0 && value == wanted;
}

// True when the line is that of `uid` and names a home directory; `out` has it then.
bool home_of_line(const char* line, uint32_t uid, sys::Text& out) noexcept {
  size_t length = 0;
  const char* number = field(line, kUidField, length);
  if (number == nullptr || !is_number(number, length, uid)) {
    return false;
  }
  const char* home = field(line, kHomeField, length);
  if (home == nullptr || length == 0) {
    return false;
  }
  out.add("HOME=").add(home, length);
  return true;
}

// A file of the image: it may be made to be endless.
constexpr size_t kMostBytes = 16U << 20;

// Reads the file through a buffer of one line; longer lines are no entries of a user.
bool search(int fd, uint32_t uid, sys::Text& out) noexcept {
  struct stat status {};
  if (::fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
    return false;
  }
  char buffer[4096];
  size_t used = 0;
  bool skipping = false;
  for (size_t seen = 0; seen < kMostBytes;) {
    const ssize_t got = ::read(fd, buffer + used, sizeof buffer - 1 - used);
    if (got < 0) {
      return false;
    }
    used += static_cast<size_t>(got);
    seen += static_cast<size_t>(got);
    buffer[used] = 0;
    char* line = buffer;
    for (char* end = nullptr; (end = std::strchr(line, '\n')) != nullptr; line = end + 1) {
      *end = 0;
      if (!skipping && home_of_line(line, uid, out)) {
        return true;
      }
      skipping = false;
    }
    used -= static_cast<size_t>(line - buffer);
    if (got == 0) {
      return !skipping && home_of_line(line, uid, out);
    }
    if (used == sizeof buffer - 1) {
      skipping = true;
      used = 0;
    }
    std::memmove(buffer, line, used);
  }
  return false;
}

// The program's environment with HOME at its end, in pages of its own: there is no heap here, and the system
// call filter may forbid mmap later.
Failure extend_environment(InitContext& context) noexcept {
  const wire::OpList& ops = context.plan.list(wire::List::kInitStart);
  if (ops.count == 0 || ops.items[ops.count - 1].kind != wire::OpKind::kExec) {
    return fail(EINVAL, "plan", nullptr, "HOME was to be found for a container without a program");
  }
  const wire::StrList& env = ops.items[ops.count - 1].as<wire::Exec>().env;
  const size_t size = (static_cast<size_t>(env.count) + 2) * sizeof(char*);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail("mmap");
  }
  auto** out = static_cast<const char**>(memory);
  std::memcpy(out, env.items, env.count * sizeof(char*));
  out[env.count] = context.home;
  context.env = out;
  return kOk;
}

}  // namespace

Failure run(InitContext& context, const wire::FindHome& op) noexcept {
  sys::Text home(context.home);
  // The image's, and it may be a link: not to what this process has open.
  const sys::Result<UniqueFd> passwd =
      sys::openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK, RESOLVE_NO_MAGICLINKS);
  if (!passwd.ok() || !search(passwd->get(), op.uid, home) || home.cut()) {
    sys::Text(context.home).add("HOME=/");
  }
  return extend_environment(context);
}

}  // namespace tsrunc::engine
