#include "engine/init/procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::Result;
using sys::UniqueFd;

// PROC_ROOT_INO of linux/proc_ns.h: the root of a procfs, not a directory of one that was bound to /proc.
constexpr ino_t kProcRoot = 1;

}  // namespace

Result<UniqueFd> open_in_proc(const char* directory) noexcept {
  Result<UniqueFd> proc = sys::open_host("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!proc.ok()) {
    return proc.failure();
  }
  struct statfs fs {};
  struct stat status {};
  if (::fstatfs(proc->get(), &fs) < 0 || ::fstat(proc->get(), &status) < 0) {
    return fail("fstatfs", "/proc");
  }
  if (fs.f_type != PROC_SUPER_MAGIC || status.st_ino != kProcRoot) {
    return fail(EINVAL, "open", "/proc", "the host's /proc is not a procfs");
  }
  // /proc/self is a link, though not a magic one.
  return sys::openat2(proc->get(), directory, O_PATH | O_DIRECTORY,
                      RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

Failure write_beneath(int directory, const char* path, const char* text, size_t size,
                      const char* shown) noexcept {
  Result<UniqueFd> file =
      sys::openat2(directory, path, O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  if (!file.ok()) {
    return fail(file.failure().code, "openat2", shown, nullptr);
  }
  return sys::write_once(file->get(), text, size, shown);
}

}  // namespace tsrunc::engine
