// checkCgroupUsage: config-linux.md "Memory", checkBeforeUpdate.
#include <fcntl.h>

#include <cerrno>
#include <cstdlib>

#include "engine/host_context.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {

using sys::Failure;
using sys::kOk;

Failure run(HostContext& context, const wire::CheckCgroupUsage& op) {
  char text[32];
  const auto length = sys::read_file(AT_FDCWD, op.file.data, text, sizeof text);
  if (!length.ok()) {
    return sys::fail(length.failure().code, length.failure().call, op.file.data, nullptr);
  }
  const uint64_t used = std::strtoull(text, nullptr, 10);
  if (used <= op.limit) {
    return kOk;
  }
  sys::Text(context.detail)
      .add("the cgroup uses ")
      .add(used)
      .add(
          " bytes already, which is more (checkBeforeUpdate is set): raise the limit, or use another cgroup");
  return sys::fail(EBUSY, "read", op.file.data, context.detail);
}

}  // namespace tsrunc::engine
