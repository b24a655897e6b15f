#include "shim/place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "addon/sha256.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::shim {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
constexpr int kBacklog = 1024;
constexpr size_t kKeyBytes = 16;
constexpr char kForeign[] = "operation not permitted: this directory is not this user's alone to write to";

[[nodiscard]] Failure open_directory(int parent, const char* name, const char* path, mode_t mode,
                                     UniqueFd& out) {
  if (::mkdirat(parent, name, mode) != 0 && errno != EEXIST) {
    return sys::fail("mkdir", path);
  }
  out = UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!out.valid()) {
    return sys::fail("open", path);
  }
  struct stat about {};
  if (::fstat(out.get(), &about) != 0) {
    return sys::fail("stat", path);
  }
  return about.st_uid == ::geteuid() && (about.st_mode & kOthersWrite) == 0
             ? kOk
             : sys::fail(EPERM, "stat", path, kForeign);
}

void add_key(sys::Text& text, const char* name_space, const char* address) {
  addon::Sha256 hash;
  hash.add(name_space, std::strlen(name_space) + 1).add(address, std::strlen(address));
  const addon::Sha256::Digest digest = hash.finish();
  for (size_t i = 0; i < kKeyBytes; ++i) {
    text.add(digest[i] >> 4, 16).add(digest[i] & 15, 16);
  }
}

[[nodiscard]] sockaddr_un address_of(const char* path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  sys::Text(address.sun_path).add(path);
  return address;
}

// For a person who looks who is served here.
[[nodiscard]] Failure write_names(const Place& place, const char* name_space, const char* address) {
  const UniqueFd file(
      ::openat(place.fd.get(), "names", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return sys::fail("open", "names");
  }
  char buffer[512];
  sys::Text text(buffer);
  text.add("namespace ").add(name_space).add("\ncontainerd ").add(address).add("\n");
  return sys::write_once(file.get(), buffer, text.size(), "names");
}

}  // namespace

Failure open_place(const char* name_space, const char* address, Place& out) {
  UniqueFd base;
  TSRUNC_TRY(open_directory(AT_FDCWD, kBase, kBase, 0711, base));
  sys::Text path(out.directory);
  path.add(kBase).add("/");
  const size_t name = path.size();
  add_key(path, name_space, address);
  TSRUNC_TRY(open_directory(base.get(), out.directory + name, out.directory, 0700, out.fd));
  sys::Text(out.socket).add(out.directory).add("/socket");
  return write_names(out, name_space, address);
}

sys::Result<UniqueFd> lock_place(const Place& place, int milliseconds) {
  UniqueFd file(::openat(place.fd.get(), "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return sys::fail("open", "the shim's lock");
  }
  sys::Deadline deadline(milliseconds);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return sys::fail("flock", "the shim's lock");
    }
    if (deadline.over()) {
      return sys::fail(ETIMEDOUT, "flock", "the shim's lock",
                       "timed out: another start of this shim holds the lock for too long");
    }
    deadline.pause();
  }
  return file;
}

bool is_served(const Place& place) noexcept {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(place.socket);
  // unix(7): EAGAIN says that its queue is full, so it is there.
  return socket.valid() &&
         (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
          errno == EAGAIN);
}

sys::Result<UniqueFd> listen_at(const Place& place) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(place.socket);
  if (!socket.valid()) {
    return sys::fail("socket", "the shim's socket");
  }
  if (::unlink(place.socket) != 0 && errno != ENOENT) {
    return sys::fail("unlink", place.socket);
  }
  const mode_t before = ::umask(0177);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  (void)::umask(before);
  if (bound != 0) {
    return sys::fail("bind", place.socket);
  }
  if (::listen(socket.get(), kBacklog) != 0) {
    return sys::fail("listen", place.socket);
  }
  return socket;
}

}  // namespace tsrunc::shim
