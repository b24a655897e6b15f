// Entering the container's v1 cgroups from inside; on v2 clone3 does it (CLONE_INTO_CGROUP).
#include <fcntl.h>

#include "engine/init/init_context.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {

sys::Failure run(InitContext& context, const wire::EnterCgroup& op) noexcept {
  char* path = context.path;
  sys::Text(context.path).add(op.path.data).add("/tasks");
  // cgroups v1: 0 is the writing thread, wherever its pid namespace is.
  const sys::Failure failure = sys::write_file(AT_FDCWD, path, "0", 1);
  if (!failure) {
    return sys::kOk;
  }
  const char* detail =
      failure.code == ENOSPC ? "no space left on device: the cpuset has no CPUs or memory nodes" : nullptr;
  return sys::fail(failure.code, failure.call, path, detail);
}

}  // namespace tsrunc::engine
