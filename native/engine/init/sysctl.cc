// config-linux.md "Sysctl". Written through the host's procfs while it is still at /proc, in the container's
// namespaces; never through a path that the container or a neighbour could have replaced (CVE-2025-52881).
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "engine/init/init_context.h"
#include "sys/kernel.h"

namespace tsrunc::engine {

using sys::fail;
using sys::Failure;
using sys::Result;
using sys::UniqueFd;

Failure run(InitContext& /*context*/, const wire::WriteSysctl& op) noexcept {
  Result<UniqueFd> proc = sys::open_host("/proc/sys", O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!proc.ok()) {
    return proc.failure();
  }
  struct statfs fs {};
  if (::fstatfs(proc->get(), &fs) < 0) {
    return fail("fstatfs", "/proc/sys");
  }
  if (fs.f_type != PROC_SUPER_MAGIC) {
    return fail(EINVAL, "open", "/proc/sys", "the host's /proc is not a procfs");
  }
  Result<UniqueFd> file = sys::openat2(proc->get(), op.path.data, O_WRONLY,
                                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  if (!file.ok()) {
    return file.failure();
  }
  return sys::write_once(file->get(), op.value.data, op.value.size, op.path.data);
}

}  // namespace tsrunc::engine
