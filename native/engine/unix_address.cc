#include "engine/unix_address.h"

#include <fcntl.h>
#include <limits.h>

#include <cstddef>
#include <cstring>

#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

constexpr size_t kHead = offsetof(sockaddr_un, sun_path);

[[nodiscard]] Failure by_directory(const char* path, UnixAddress& out) noexcept {
  const char* slash = std::strrchr(path, '/');
  char directory[PATH_MAX];
  if (slash == nullptr || static_cast<size_t>(slash - path) >= sizeof directory) {
    return sys::fail(ENAMETOOLONG, "connect", path, nullptr);
  }
  std::memcpy(directory, path, static_cast<size_t>(slash - path));
  directory[slash - path] = 0;
  out.directory.reset(::open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!out.directory.valid()) {
    return sys::fail("open", path);
  }
  sys::Text text(out.address.sun_path);
  text.add(sys::FdPath(out.directory.get()).text).add(slash);
  out.length = static_cast<socklen_t>(kHead + text.size() + 1);
  return text.cut() ? sys::fail(ENAMETOOLONG, "connect", path, nullptr) : kOk;
}

}  // namespace

Failure make_address(const char* path, UnixAddress& out) noexcept {
  out.address.sun_family = AF_UNIX;
  const size_t length = std::strlen(path);
  if (length >= sizeof out.address.sun_path) {
    return *path == '@' ? sys::fail(ENAMETOOLONG, "connect", path, nullptr) : by_directory(path, out);
  }
  std::memcpy(out.address.sun_path, path, length + 1);
  out.length = static_cast<socklen_t>(kHead + length + 1);
  if (*path == '@') {
    out.address.sun_path[0] = 0;
    out.length = static_cast<socklen_t>(kHead + length);
  }
  return kOk;
}

}  // namespace tsrunc::engine
