#include "launcher/leave_cgroups.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "launcher/cgroup_files.h"
#include "sys/array.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using Bytes = sys::Array<char>;

// Part of a text.
struct Slice {
  const char* at = nullptr;
  size_t length = 0;

  [[nodiscard]] bool is(const char* word) const noexcept {
    return std::strlen(word) == length && std::memcmp(at, word, length) == 0;
  }
  // Up to `end`, which is taken off as well; all that is left where there is none.
  [[nodiscard]] Slice take(char end) noexcept {
    const void* found = length == 0 ? nullptr : std::memchr(at, end, length);
    const size_t size = found == nullptr ? length : static_cast<size_t>(static_cast<const char*>(found) - at);
    const Slice taken{at, size};
    const size_t gone = found == nullptr ? size : size + 1;
    at += gone;
    length -= gone;
    return taken;
  }
};

[[nodiscard]] bool has_word(Slice list, Slice word) noexcept {
  while (list.length > 0) {
    const Slice one = list.take(',');
    if (one.length == word.length && std::memcmp(one.at, word.at, word.length) == 0) {
      return true;
    }
  }
  return false;
}

// A line of /proc/self/cgroup, cgroups(7): "ID:CONTROLLERS:PATH", without controllers on v2.
struct Membership {
  Slice controllers;
  Slice path;
  [[nodiscard]] bool unified() const noexcept { return controllers.length == 0; }
};

// Whether a line of /proc/self/mountinfo (proc(5)) is the whole of this hierarchy; then also where.
[[nodiscard]] bool is_mount_of(Slice line, const Membership& membership, Slice& where) noexcept {
  for (int skipped = 0; skipped < 3; ++skipped) {
    (void)line.take(' ');
  }
  const bool whole = line.take(' ').is("/");
  where = line.take(' ');
  while (line.length > 0 && !line.take(' ').is("-")) {
  }
  const Slice type = line.take(' ');
  (void)line.take(' ');
  // Of v1 the controllers that are mounted together are those of one hierarchy.
  Slice controllers = membership.controllers;
  return whole && type.is(membership.unified() ? "cgroup2" : "cgroup") &&
         (membership.unified() || has_word(line, controllers.take(',')));
}

[[nodiscard]] bool find_mount(const char* mounts, const Membership& membership, Slice& where) {
  bool found = false;
  each_line(mounts, [&](const char* line, size_t length) {
    Slice candidate;
    if (!found && is_mount_of({line, length}, membership, candidate)) {
      where = candidate;
      found = true;
    }
  });
  return found;
}

// The part of a user's path that its systemd was given, "…/user@UID.service"; empty: none.
[[nodiscard]] Slice delegated(Slice path) noexcept {
  char name[64];
  sys::Text(name).add("/user@").add(static_cast<uint64_t>(::geteuid())).add(".service/");
  const void* found = ::memmem(path.at, path.length, name, std::strlen(name));
  if (found == nullptr) {
    return {};
  }
  const auto before = static_cast<size_t>(static_cast<const char*>(found) - path.at);
  return {path.at, before + std::strlen(name) - 1};
}

// A process of one thread moves through v1's `tasks` without what `cgroup.procs` takes for all its threads: a
// lock that waits for an RCU grace period, some 10 ms (cgroup_procs_write_start() in kernel/cgroup/cgroup.c).
[[nodiscard]] bool enter(const char* directory, bool unified) {
  char path[PATH_MAX];
  sys::Text text(path);
  text.add(directory).add(unified ? "/cgroup.procs" : "/tasks");
  return !text.cut() && !sys::write_file(AT_FDCWD, path, "0", 1);
}

[[nodiscard]] bool is_own(Slice path) noexcept {
  return path.length > 0 && *path.at == '/' && Slice{path.at + 1, path.length - 1}.is(kOwnCgroup);
}

// There is nothing to leave: it is a root, or root's own cgroup, in which a process may have been made.
[[nodiscard]] bool may_stay(const Membership& membership, bool own) noexcept {
  const bool makes_own = membership.unified() && ::geteuid() == 0;
  return membership.path.is("/") ? !(makes_own && own) : makes_own && is_own(membership.path);
}

[[nodiscard]] bool leave(const Membership& membership, const char* mounts) {
  const bool root = ::geteuid() == 0;
  Slice where;
  if (!find_mount(mounts, membership, where)) {
    // There is nothing to leave in a hierarchy that nobody uses.
    return membership.path.is("/");
  }
  char path[PATH_MAX];
  sys::Text text(path);
  text.add(where.at, where.length);
  if (!root) {
    const Slice above = delegated(membership.path);
    text.add(above.at, above.length);
    if (!membership.unified() || above.length == 0) {
      return false;
    }
  }
  if (membership.unified()) {
    text.add("/").add(kOwnCgroup);
    if (text.cut() || (::mkdir(path, 0755) != 0 && errno != EEXIST)) {
      return false;
    }
  }
  return !text.cut() && enter(path, membership.unified());
}

[[nodiscard]] bool read_text(const char* path, Bytes& out) {
  const bool read = !sys::read_whole(AT_FDCWD, path, out);
  out.push(0);
  return read;
}

constexpr char kCgroups[] = "/proc/self/cgroup";
// Long where there are many containers: read only if there is something to leave.
constexpr char kMounts[] = "/proc/self/mountinfo";

[[nodiscard]] Membership membership_of(Slice line) noexcept {
  (void)line.take(':');
  Membership membership;
  membership.controllers = line.take(':');
  membership.path = line;
  return membership;
}

}  // namespace

sys::UniqueFd open_own_cgroup() {
  Bytes cgroups;
  if (::geteuid() != 0 || !read_text(kCgroups, cgroups)) {
    return {};
  }
  size_t lines = 0;
  Membership membership;
  each_line(cgroups.data(), [&](const char* line, size_t length) {
    membership = membership_of({line, length});
    ++lines;
  });
  Bytes mounts;
  Slice where;
  if (lines != 1 || !membership.unified() || membership.path.is("/") || !read_text(kMounts, mounts) ||
      !find_mount(mounts.data(), membership, where)) {
    return {};
  }
  char path[PATH_MAX];
  sys::Text text(path);
  text.add(where.at, where.length).add("/").add(kOwnCgroup);
  if (text.cut() || (::mkdir(path, 0755) != 0 && errno != EEXIST)) {
    return {};
  }
  return sys::UniqueFd(::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool leave_cgroups(bool own) {
  Bytes cgroups;
  if (!read_text(kCgroups, cgroups)) {
    return false;
  }
  Bytes mounts;
  bool left = true;
  each_line(cgroups.data(), [&](const char* line, size_t length) {
    const Membership membership = membership_of({line, length});
    if (may_stay(membership, own)) {
      return;
    }
    left = left && (!mounts.empty() || read_text(kMounts, mounts)) && leave(membership, mounts.data());
  });
  return left;
}

}  // namespace tsrunc::launcher
