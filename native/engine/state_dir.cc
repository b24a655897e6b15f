#include "engine/state_dir.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "engine/container_id.h"
#include "engine/monitor_files.h"
#include "engine/state_lock.h"
#include "engine/trace.h"
#include "sys/crc32c.h"
#include "sys/directory.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr char kInUse[] = "container with given ID already exists";

// ROOT of ROOT/ID into `out`, and ID.
[[nodiscard]] Failure split(const char* path, char (&out)[PATH_MAX], const char*& id) noexcept {
  const char* slash = std::strrchr(path, '/');
  const size_t length = slash == nullptr ? 0 : static_cast<size_t>(slash - path);
  if (slash == nullptr || path[0] != '/' || length >= sizeof out || !valid_container_id(slash + 1)) {
    return sys::fail(EINVAL, "mkdir", path, "the state directory is not an absolute ROOT/ID");
  }
  std::memcpy(out, path, length);
  out[length] = 0;
  id = slash + 1;
  return kOk;
}

// mkdir -p. Parents get the mode of ROOT itself: nobody else has business there.
[[nodiscard]] Failure make_parents(char (&path)[PATH_MAX]) noexcept {
  for (char* at = path + 1;; ++at) {
    if (*at != '/' && *at != 0) {
      continue;
    }
    const char end = *at;
    *at = 0;
    if (::mkdir(path, 0700) != 0 && errno != EEXIST) {
      return sys::fail("mkdir", nullptr);
    }
    *at = end;
    if (end == 0) {
      return kOk;
    }
  }
}

[[nodiscard]] bool same_directory(int fd, const char* path) noexcept {
  struct stat one {};
  struct stat other {};
  return ::fstat(fd, &one) == 0 && ::stat(path, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

// Opens ROOT, making it first if need be.
[[nodiscard]] Failure open_root(char (&root)[PATH_MAX], const char* path, UniqueFd& out) noexcept {
  if (root[0] == 0) {
    return sys::fail(EINVAL, "mkdir", path, "\"/\" cannot be the root directory of the state");
  }
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  out = UniqueFd(::open(root, kFlags));
  if (!out.valid()) {
    if (errno != ENOENT) {
      return sys::fail("open", path);
    }
    if (Failure failure = make_parents(root); failure) {
      failure.path = path;
      return failure;
    }
    out = UniqueFd(::open(root, kFlags));
    if (!out.valid()) {
      return sys::fail("open", path);
    }
    if (::geteuid() != 0) {
      // XDG Base Directory Specification, $XDG_RUNTIME_DIR: only the sticky bit keeps a clean-up job away.
      (void)::fchmod(out.get(), 01700);
    }
  }
  if (same_directory(out.get(), "/")) {
    return sys::fail(EINVAL, "open", path, "\"/\" cannot be the root directory of the state");
  }
  return kOk;
}

[[nodiscard]] UniqueFd make_file(int dir, const char* name, int flags) noexcept {
  return UniqueFd(::openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
}

// With `sum`, the checksum follows the data.
[[nodiscard]] Failure write_new(int dir, const char* name, const wire::Bytes& data,
                                bool sum = false) noexcept {
  const UniqueFd fd = make_file(dir, name, 0);
  if (!fd.valid()) {
    return sys::fail("open", name);
  }
  TSRUNC_TRY(sys::write_all(fd.get(), data.data, data.size, name));
  const uint32_t checksum = sum ? sys::crc32c(data.data, data.size) : 0;
  return sum ? sys::write_all(fd.get(), &checksum, sizeof checksum, name) : kOk;
}

// `journal`: open for its lines.
[[nodiscard]] Failure write_files(int dir, const wire::Plan& plan, UniqueFd& journal) noexcept {
  journal = make_file(dir, "journal", O_APPEND);
  if (!journal.valid()) {
    return sys::fail("open", "journal");
  }
  TSRUNC_TRY(write_new(dir, "config.json", plan.header.config));
  for (const char* name : {"exec.fifo", "exec.result"}) {
    if (::mkfifoat(dir, name, 0600) != 0) {
      return sys::fail("mkfifo", name);
    }
  }
  // Last: a directory without a whole plan is one in which no operation was begun.
  return write_new(dir, "plan", plan.raw, true);
}

}  // namespace

StateDir::~StateDir() {
  if (fd_.valid()) {
    // A lock belongs to the open file, which a copy of this process (init before its execve) may still hold.
    (void)::flock(fd_.get(), LOCK_UN);
  }
  if (mapped_ != nullptr) {
    (void)::munmap(mapped_, mapped_size_);
  }
}

// ENOENT: it was removed again meanwhile. Another failure of one that stays, as fd_ does, is to be followed
// by remove().
Failure StateDir::make_locked(int root, const char* id) {
  if (::mkdirat(root, id, 0700) != 0) {
    return errno == EEXIST ? sys::fail(EEXIST, "mkdir", path_, kInUse) : sys::fail("mkdir", path_);
  }
  UniqueFd fd(::openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    const Failure failure = sys::fail("open", path_);
    (void)::unlinkat(root, id, AT_REMOVEDIR);
    return failure;
  }
  fd_ = std::move(fd);
  const Failure failure = lock(1000);
  if (failure.code == ENOENT) {
    fd_.reset();
  }
  return failure;
}

Failure StateDir::make(const wire::Plan& plan) {
  path_ = plan.header.state_dir.data;
  char root[PATH_MAX];
  const char* id = nullptr;
  TSRUNC_TRY(split(path_, root, id));
  UniqueFd root_fd;
  TSRUNC_TRY(open_root(root, path_, root_fd));
  // Until it is locked a delete may take it for the remains of somebody else, and the ID is free again.
  constexpr int kTries = 100;
  Failure failure = make_locked(root_fd.get(), id);
  for (int tries = 1; failure.code == ENOENT && tries < kTries; ++tries) {
    failure = make_locked(root_fd.get(), id);
  }
  if (failure && !fd_.valid()) {
    return failure;
  }
  if (!failure) {
    failure = write_files(fd_.get(), plan, journal_);
    if (failure && failure.path != nullptr) {
      failure = of_file(failure, failure.path);
    }
  }
  if (failure) {
    (void)remove();
    journal_.reset();
    fd_.reset();
  }
  return failure;
}

Failure StateDir::open(const char* path) {
  path_ = path;
  for (;;) {
    fd_ = UniqueFd(::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd_.valid()) {
      return kOk;
    }
    if (errno != EINTR) {
      return sys::fail("open", path);
    }
  }
}

Failure StateDir::lock(int milliseconds) {
  const Span span("state", "lock the container");
  return lock_directory(fd_.get(), path_, milliseconds);
}

Failure StateDir::adopt_lock(UniqueFd locked) {
  struct stat own {};
  struct stat theirs {};
  if (::fstat(fd_.get(), &own) != 0 || ::fstat(locked.get(), &theirs) != 0) {
    return sys::fail("fstat", path_);
  }
  if (own.st_dev != theirs.st_dev || own.st_ino != theirs.st_ino) {
    return sys::fail(ENOENT, "flock", path_, nullptr);
  }
  fd_ = std::move(locked);
  return kOk;
}

namespace {

// The directory `notify`, with the socket in it; launcher/notify.h.
[[nodiscard]] bool remove_notify(int state) noexcept {
  const UniqueFd directory(::openat(state, "notify", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return directory.valid() && (::unlinkat(directory.get(), "notify.sock", 0) == 0 || errno == ENOENT) &&
         ::unlinkat(state, "notify", AT_REMOVEDIR) == 0;
}

[[nodiscard]] bool remove_entry(int state, const char* name) noexcept {
  if (std::strcmp(name, "notify") == 0) {
    return remove_notify(state) || errno == ENOENT;
  }
  if (std::strcmp(name, kMonitorDir) == 0) {
    return remove_monitors(state);
  }
  return ::unlinkat(state, name, 0) == 0 || errno == ENOENT;
}

}  // namespace

Failure StateDir::remove() {
  if (!fd_.valid()) {
    return kOk;
  }
  // The plan first: what is left after an interruption in here must not run the delete list again.
  if (::unlinkat(fd_.get(), "plan", 0) != 0 && errno != ENOENT) {
    return sys::fail("unlink", path_);
  }
  // Most have nothing but these: no need to read the directory.
  for (const char* name : {"state", "journal", "config.json", "exec.fifo", "exec.result"}) {
    (void)::unlinkat(fd_.get(), name, 0);
  }
  if (::rmdir(path_) == 0 || errno == ENOENT) {
    return kOk;
  }
  UniqueFd again(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* files = again.valid() ? ::fdopendir(again.get()) : nullptr;
  if (files == nullptr) {
    return sys::fail("open", path_);
  }
  (void)again.release();
  Failure failure;
  while (const dirent* entry = sys::next_entry(files)) {
    const bool dots = std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0;
    if (!dots && !remove_entry(fd_.get(), entry->d_name) && !failure) {
      failure = sys::fail("unlink", path_);
    }
  }
  if (errno != 0 && !failure) {
    failure = sys::fail("getdents64", path_);
  }
  ::closedir(files);
  if (failure) {
    return failure;
  }
  return ::rmdir(path_) == 0 || errno == ENOENT ? kOk : sys::fail("rmdir", path_);
}

}  // namespace tsrunc::engine
