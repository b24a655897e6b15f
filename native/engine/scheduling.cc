#include "engine/scheduling.h"

#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;

// struct sched_attr as of Linux 5.3; linux/sched/types.h cannot be included beside glibc's sched.h.
struct SchedulerAttributes {
  uint32_t size = sizeof(SchedulerAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
  uint32_t clamp_min = 0;
  uint32_t clamp_max = 0;
};
static_assert(sizeof(SchedulerAttributes) == 56);

[[nodiscard]] const char* refused_by_permission(uint32_t policy) noexcept {
  switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR:
      return "operation not permitted: real-time policies need CAP_SYS_NICE in the initial user namespace, "
             "or "
             "RLIMIT_RTPRIO; and real-time run time of the cgroup where the kernel shares it out "
             "(linux.resources.cpu.realtimeRuntime)";
    case SCHED_DEADLINE:
      return "operation not permitted: SCHED_DEADLINE needs CAP_SYS_NICE in the initial user namespace, and "
             "a process that may run on every CPU of its root domain (see linux.resources.cpu.cpus)";
    default:
      return "operation not permitted: a lower nice value needs CAP_SYS_NICE in the initial user namespace, "
             "or "
             "RLIMIT_NICE";
  }
}

[[nodiscard]] const char* story(int code, const wire::SetScheduler& op) noexcept {
  // sched.h of the kernel: "SCHED_ISO: reserved but not implemented yet".
  constexpr uint32_t kScheduleIso = 4;
  constexpr uint64_t kClamps = SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;
  if (code == EPERM) {
    return refused_by_permission(op.policy);
  }
  if (code == EBUSY && op.policy == SCHED_DEADLINE) {
    return "device or resource busy: the CPUs do not have this much run time left for SCHED_DEADLINE";
  }
  if (code == EINVAL && op.policy == kScheduleIso) {
    return "invalid argument: Linux has no SCHED_ISO";
  }
  if (code == EOPNOTSUPP && (op.flags & kClamps) != 0) {
    return "operation not supported: this kernel does not clamp utilization (CONFIG_UCLAMP_TASK)";
  }
  return nullptr;
}

}  // namespace

Failure set_scheduler(pid_t pid, const wire::SetScheduler& op) noexcept {
  SchedulerAttributes attributes;
  attributes.policy = op.policy;
  attributes.flags = op.flags;
  attributes.nice = static_cast<int32_t>(op.nice);
  attributes.priority = op.priority;
  attributes.runtime = op.runtime;
  attributes.deadline = op.deadline;
  attributes.period = op.period;
  if (::syscall(SYS_sched_setattr, pid, &attributes, 0) < 0) {
    return fail(errno, "sched_setattr", nullptr, story(errno, op));
  }
  return kOk;
}

Failure set_io_priority(pid_t pid, const wire::SetIoPriority& op) noexcept {
  if (::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, op.value) < 0) {
    const bool real_time = errno == EPERM && IOPRIO_PRIO_CLASS(op.value) == IOPRIO_CLASS_RT;
    return fail(errno, "ioprio_set", nullptr,
                real_time
                    ? "operation not permitted: IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN in the "
                      "initial user namespace"
                    : nullptr);
  }
  return kOk;
}

}  // namespace tsrunc::engine
