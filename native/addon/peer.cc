#include "addon/peer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>

#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::addon {
namespace {

// namespaces(7): a namespace is the inode of its file. "root" is proc(5)'s link to the root directory.
constexpr const char* kShared[] = {"ns/mnt", "ns/user", "ns/pid", "ns/cgroup", "root"};
constexpr size_t kCount = sizeof kShared / sizeof *kShared;

struct Surroundings {
  dev_t devices[kCount] = {};
  ino_t inodes[kCount] = {};
  bool known = false;
};

[[nodiscard]] Surroundings look(const char* process) {
  Surroundings out;
  const sys::UniqueFd directory(::open(process, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return out;
  }
  for (size_t i = 0; i < kCount; ++i) {
    struct stat about {};
    if (::fstatat(directory.get(), kShared[i], &about, 0) != 0) {
      return out;
    }
    out.devices[i] = about.st_dev;
    out.inodes[i] = about.st_ino;
  }
  out.known = true;
  return out;
}

}  // namespace

pid_t fellow(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid <= 0 ||
      peer.uid != ::geteuid() || peer.gid != ::getegid()) {
    return 0;
  }
  // This process never changes its own.
  static const Surroundings own = look("/proc/self");
  char path[32];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(peer.pid));
  const Surroundings theirs = look(path);
  if (!own.known || !theirs.known) {
    return 0;
  }
  for (size_t i = 0; i < kCount; ++i) {
    if (own.devices[i] != theirs.devices[i] || own.inodes[i] != theirs.inodes[i]) {
      return 0;
    }
  }
  return peer.pid;
}

}  // namespace tsrunc::addon
