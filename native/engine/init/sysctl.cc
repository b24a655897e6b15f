// config-linux.md "Sysctl". Written through the host's procfs while it is still at /proc, in the container's
// namespaces; never through a path that the container or a neighbour could have replaced (CVE-2025-52881).
#include "engine/init/init_context.h"
#include "engine/init/procfs.h"

namespace tsrunc::engine {

using sys::Failure;
using sys::Result;
using sys::UniqueFd;

Failure run(InitContext& /*context*/, const wire::WriteSysctl& op) noexcept {
  Result<UniqueFd> directory = open_in_proc("sys");
  return directory.ok()
             ? write_beneath(directory->get(), op.path.data, op.value.data, op.value.size, op.path.data)
             : directory.failure();
}

}  // namespace tsrunc::engine
