#include "launcher/host_namespaces.h"

#include <sys/stat.h>
#include <unistd.h>

namespace tsrunc::launcher {
namespace {

// include/linux/proc_ns.h: namespaces that the kernel made when it started have these inodes.
struct FirstNamespace {
  const char* path;
  ino_t inode;
};
constexpr FirstNamespace kFirst[] = {
    {"/proc/self/ns/user", 0xEFFFFFFD},
    {"/proc/self/ns/pid", 0xEFFFFFFC},
    {"/proc/self/ns/cgroup", 0xEFFFFFFB},
};

constexpr ino_t kFirstMounts = 0xEFFFFFF8;  // since Linux 6.17

[[nodiscard]] ino_t inode_of(const char* path) noexcept {
  struct stat about {};
  return ::stat(path, &about) == 0 ? about.st_ino : 0;
}

// Before it had an inode of its own, process 1 told which one is the first. A user does not see that, and
// need not: only root makes mount namespaces that are in the first user namespace.
[[nodiscard]] bool has_hosts_mounts() noexcept {
  const ino_t own = inode_of("/proc/self/ns/mnt");
  return own == kFirstMounts || ::geteuid() != 0 || (own != 0 && own == inode_of("/proc/1/ns/mnt"));
}

}  // namespace

bool is_on_host() noexcept {
  for (const FirstNamespace& first : kFirst) {
    if (inode_of(first.path) != first.inode) {
      return false;
    }
  }
  return ::getuid() == ::geteuid() && has_hosts_mounts();
}

}  // namespace tsrunc::launcher
