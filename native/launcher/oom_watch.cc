#include "launcher/oom_watch.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>

#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

}  // namespace

Failure OomWatch::open(const CgroupDirectories& cgroups) {
  if (const char* v1 = cgroups.with("memory.oom_control"); v1 != nullptr) {
    return open_v1(v1);
  }
  const char* v2 = cgroups.with("memory.events");
  if (v2 == nullptr) {
    return kOk;
  }
  char path[PATH_MAX];
  sys::Text(path).add(v2).add("/memory.events");
  fd_.reset(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd_.valid()) {
    return sys::fail("open", v2);
  }
  wanted_ = POLLPRI;
  seen_ = kills();
  return kOk;
}

Failure OomWatch::open_v1(const char* directory) {
  char path[PATH_MAX];
  sys::Text(path).add(directory).add("/memory.oom_control");
  control_.reset(::open(path, O_RDONLY | O_CLOEXEC));
  fd_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!control_.valid() || !fd_.valid()) {
    return sys::fail("open", directory);
  }
  char value[64];
  sys::Text text(value);
  text.add(static_cast<uint64_t>(fd_.get())).add(" ").add(static_cast<uint64_t>(control_.get()));
  sys::Text(path).add(directory).add("/cgroup.event_control");
  if (const Failure failure = sys::write_file(AT_FDCWD, path, value, text.size()); failure) {
    return sys::fail(failure.code, "write", directory, nullptr);
  }
  wanted_ = POLLIN;
  return kOk;
}

// The file's count; reading it also tells the kernel that the last change was seen.
uint64_t OomWatch::kills() const {
  char text[1024];
  const ssize_t length = ::pread(fd_.get(), text, sizeof text - 1, 0);
  if (length <= 0) {
    return seen_;  // ENODEV: the cgroup is gone
  }
  text[length] = 0;
  uint64_t count = seen_;
  each_line(text, [&](const char* line, size_t) {
    constexpr char kKey[] = "oom_kill ";
    if (std::strncmp(line, kKey, sizeof kKey - 1) == 0) {
      count = std::strtoull(line + sizeof kKey - 1, nullptr, 10);
    }
  });
  return count;
}

bool OomWatch::happened() {
  if (!fd_.valid()) {
    return false;
  }
  if (wanted_ == POLLPRI) {
    const uint64_t now = kills();
    const bool more = now > seen_;
    seen_ = now;
    return more;
  }
  uint64_t count = 0;
  if (::read(fd_.get(), &count, sizeof count) != static_cast<ssize_t>(sizeof count)) {
    return false;
  }
  // The removal of the cgroup is told by the same eventfd.
  char unused = 0;
  const bool alive = ::pread(control_.get(), &unused, 1, 0) == 1;
  if (!alive) {
    fd_.reset();
  }
  return alive;
}

}  // namespace tsrunc::launcher
