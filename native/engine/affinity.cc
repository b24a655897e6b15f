#include "engine/affinity.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "engine/host_context.h"
#include "engine/init/init_context.h"

namespace tsrunc::engine {
namespace {

// The largest kernels (NR_CPUS of x86); a smaller one ignores what it has no CPU for.
constexpr size_t kCpus = 8192;
constexpr size_t kBits = 8 * sizeof(unsigned long);

}  // namespace

sys::Failure set_affinity(const wire::SetCpuAffinity& op) noexcept {
  unsigned long words[kCpus / kBits];
  std::memset(words, op.cpus.count == 0 ? 0xff : 0, sizeof words);
  for (uint32_t i = 0; i < op.cpus.count; ++i) {
    const uint32_t cpu = op.cpus.items[i];
    if (cpu >= kCpus) {
      return sys::fail(EINVAL, "sched_setaffinity", nullptr,
                       "invalid argument: no kernel has this many CPUs");
    }
    words[cpu / kBits] |= 1UL << (cpu % kBits);
  }
  // The raw call: glibc's wants no more CPUs than it knows.
  if (::syscall(SYS_sched_setaffinity, 0, sizeof words, words) < 0) {
    return sys::fail(
        errno, "sched_setaffinity", nullptr,
        errno == EINVAL ? "invalid argument: the host, or the cpuset, has none of these CPUs" : nullptr);
  }
  return sys::kOk;
}

sys::Failure run(HostContext& /*context*/, const wire::SetCpuAffinity& op) {
  return set_affinity(op);
}

sys::Failure run(InitContext& /*context*/, const wire::SetCpuAffinity& op) noexcept {
  return set_affinity(op);
}

}  // namespace tsrunc::engine
