#include "shim/mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "launcher/describe.h"
#include "shim/shim.h"
#include "sys/clock.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::shim {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int kWords = 7;
constexpr int kMostLayers = 128;
constexpr int64_t kBusyMilliseconds = 500;

struct Mount {
  const char* directory;
  const char* type;
  const char* source;
  const char* target;
  unsigned long flags;
  unsigned long propagation;
  const char* data;

  explicit Mount(char** words) noexcept
      : directory(words[0]),
        type(words[1]),
        source(words[2]),
        target(words[3]),
        flags(std::strtoul(words[4], nullptr, 10)),
        propagation(std::strtoul(words[5], nullptr, 10)),
        data(words[6]) {}
};

[[nodiscard]] Failure unmount_one(const char* target, int flags) noexcept {
  return ::umount2(target, UMOUNT_NOFOLLOW | flags) == 0 ? kOk : sys::fail("umount", target);
}

[[nodiscard]] Failure unmount_all(const char* target) noexcept {
  sys::Deadline busy(kBusyMilliseconds);
  for (int layers = 0; layers < kMostLayers;) {
    Failure failure = unmount_one(target, 0);
    if (failure.code == EBUSY && !busy.over()) {
      busy.pause();
      continue;
    }
    if (failure.code == EBUSY) {
      failure = unmount_one(target, MNT_DETACH);
    }
    // umount(2): EINVAL, nothing is mounted there.
    if (failure) {
      return failure.code == EINVAL || failure.code == ENOENT ? kOk : failure;
    }
    ++layers;
  }
  return sys::fail(ELOOP, "umount", target, "too many mounts lie on top of each other");
}

[[nodiscard]] Failure make(const Mount& mount) noexcept {
  constexpr unsigned long kBindAlone = MS_BIND | MS_REC;
  if (*mount.directory != 0 && ::chdir(mount.directory) != 0) {
    return sys::fail("chdir", mount.directory);
  }
  if (::mount(mount.source, mount.target, mount.type, mount.flags, mount.data) != 0) {
    return sys::fail("mount", mount.target);
  }
  // mount(2): a bind mount takes over the flags of what it binds; others want a second call.
  if ((mount.flags & MS_BIND) != 0 && (mount.flags & ~kBindAlone) != 0 &&
      ::mount(nullptr, mount.target, nullptr, (mount.flags & ~MS_REC) | MS_REMOUNT, nullptr) != 0) {
    const Failure failure = sys::fail("remount", mount.target);
    (void)unmount_one(mount.target, MNT_DETACH);
    return failure;
  }
  if (mount.propagation != 0 && ::mount(nullptr, mount.target, nullptr, mount.propagation, nullptr) != 0) {
    const Failure failure = sys::fail("change the propagation of", mount.target);
    (void)unmount_one(mount.target, MNT_DETACH);
    return failure;
  }
  return kOk;
}

void undo(int count, char** words) noexcept {
  for (int i = count - kWords; i >= 0; i -= kWords) {
    (void)unmount_one(Mount(words + i).target, MNT_DETACH);
  }
}

}  // namespace

int run_mount(int count, char** words) {
  if (count % kWords != 0) {
    return complain("mount: not seven words for each mount");
  }
  for (int i = 0; i < count; i += kWords) {
    if (const Failure failure = make(Mount(words + i)); failure) {
      const int code = complain(launcher::Sentence("mount the root file system", failure).text);
      undo(i, words);
      return code;
    }
  }
  return 0;
}

bool is_mounted_call(int argc, char** argv) noexcept {
  return argc > 1 && std::strcmp(argv[1], "mounted") == 0;
}

int mount_for_call(int& argc, char**& argv) {
  constexpr int kBefore = 3;  // the shim's name, the verb, COUNT
  const int count = argc < kBefore ? -1 : std::atoi(argv[2]);
  if (count < 0 || count >= argc - kBefore) {
    (void)complain("mounted: not a count of words, as many, and a call");
    return kNotMounted;
  }
  // Making some of them goes elsewhere.
  const sys::UniqueFd here(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!here.valid()) {
    (void)complain(launcher::Sentence("mount the root file system", sys::fail("open", ".")).text);
    return kNotMounted;
  }
  if (run_mount(count, argv + kBefore) != 0) {
    return kNotMounted;
  }
  if (::fchdir(here.get()) != 0) {
    (void)complain(launcher::Sentence("mount the root file system", sys::fail("fchdir", ".")).text);
    undo(count, argv + kBefore);
    return kNotMounted;
  }
  argc -= kBefore + count;
  argv += kBefore + count;
  return 0;
}

int run_unmount(int count, char** words) {
  int code = 0;
  for (int i = 0; i < count; ++i) {
    if (const Failure failure = unmount_all(words[i]); failure) {
      code = complain(launcher::Sentence("unmount the root file system", failure).text);
    }
  }
  return code;
}

}  // namespace tsrunc::shim
