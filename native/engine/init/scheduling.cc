// Scheduling and memory policy of init by itself.
#include "engine/scheduling.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/init/init_context.h"

namespace tsrunc::engine {
namespace {

constexpr uint32_t kNodes = 1024;
constexpr uint32_t kWordBits = 8 * sizeof(unsigned long);

[[nodiscard]] const char* story(int code) noexcept {
  switch (code) {
    case ENOSYS:
      return "function not implemented: this kernel has no memory policies (CONFIG_NUMA)";
    case EINVAL:
      return "invalid argument: the kernel refuses this mode with these nodes and flags; nodes with memory "
             "are in "
             "/sys/devices/system/node/has_memory, those that the container may use in cpuset.mems of its "
             "cgroup";
    default:
      return nullptr;
  }
}

}  // namespace

sys::Failure run(InitContext& /*context*/, const wire::SetScheduler& op) noexcept {
  return set_scheduler(0, op);
}

sys::Failure run(InitContext& /*context*/, const wire::SetIoPriority& op) noexcept {
  return set_io_priority(0, op);
}

sys::Failure run(InitContext& /*context*/, const wire::SetMemoryPolicy& op) noexcept {
  unsigned long mask[kNodes / kWordBits] = {};
  for (uint32_t i = 0; i < op.nodes.count; ++i) {
    const uint32_t node = op.nodes.items[i];
    if (node >= kNodes) {
      return sys::fail(EINVAL, "set_mempolicy", nullptr, "a memory node has an impossible number");
    }
    mask[node / kWordBits] |= 1UL << node % kWordBits;
  }
  // set_mempolicy(2): the kernel takes one bit less than it is told of.
  if (::syscall(SYS_set_mempolicy, op.mode, op.nodes.count == 0 ? nullptr : mask, kNodes + 1) < 0) {
    return sys::fail(errno, "set_mempolicy", nullptr, story(errno));
  }
  return sys::kOk;
}

}  // namespace tsrunc::engine
