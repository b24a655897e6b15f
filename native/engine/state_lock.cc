#include "engine/state_lock.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "sys/clock.h"

namespace tsrunc::engine {

sys::Failure lock_directory(int directory, const char* path, int milliseconds) {
  sys::Patience patience(milliseconds);
  while (::flock(directory, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return sys::fail("flock", path);
    }
    if (patience.over()) {
      return sys::fail(EBUSY, "flock", path, "another tsrunc is at work on this container");
    }
    patience.pause();
  }
  // Whoever held the lock may have been `delete`.
  struct stat about {};
  if (::fstat(directory, &about) != 0) {
    return sys::fail("fstat", path);
  }
  return about.st_nlink == 0 ? sys::fail(ENOENT, "flock", path, nullptr) : sys::kOk;
}

}  // namespace tsrunc::engine
