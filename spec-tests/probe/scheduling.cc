// `scheduling`: policy, I/O priority, memory policy and CPUs of the process. `fork-scheduling`: of a child of it.

#include <errno.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"

namespace probe {
namespace {

// struct sched_attr of linux/sched/types.h, which cannot be included beside glibc's sched.h.
struct Attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
  uint32_t clamp_min, clamp_max;
};

void put_policy(Json& out) {
  Attributes attributes = {};
  const long result = syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0);
  put_errno(out, result, errno);
  out.number("policy", attributes.policy).number("flags", static_cast<int64_t>(attributes.flags));
  out.number("nice", attributes.nice).number("priority", attributes.priority);
  out.number("runtime", static_cast<int64_t>(attributes.runtime));
  out.number("deadline", static_cast<int64_t>(attributes.deadline));
  out.number("period", static_cast<int64_t>(attributes.period));
}

void put_memory_policy(Json& out) {
  constexpr unsigned kBits = 1024;
  constexpr unsigned kWord = 8 * sizeof(unsigned long);
  unsigned long nodes[kBits / kWord] = {};
  int mode = -1;
  syscall(SYS_get_mempolicy, &mode, nodes, kBits, nullptr, 0);
  out.number("memoryPolicy", mode).key("memoryNodes").begin_array();
  for (unsigned node = 0; node < kBits; node++) {
    if ((nodes[node / kWord] >> (node % kWord) & 1) != 0) {
      out.number(node);
    }
  }
  out.end_array();
}

void scheduling(const Words&, Json& out) {
  put_policy(out);
  const long priority = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
  out.number("ioClass", IOPRIO_PRIO_CLASS(priority)).number("ioPriority", IOPRIO_PRIO_DATA(priority));
  put_memory_policy(out);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  out.key("cpus").begin_array();
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &cpus)) {
      out.number(cpu);
    }
  }
  out.end_array();
}

// The child prints the line; this process only waits.
void fork_scheduling(const Words& words, Json& out) {
  const pid_t child = fork();
  if (child > 0) {
    waitpid(child, nullptr, 0);
    _exit(0);
  }
  if (child < 0) {
    put_errno(out, -1, errno);
    return;
  }
  scheduling(words, out);
}

}  // namespace

const Entry kSchedulingCommands[] = {
    {"scheduling", 0, scheduling}, {"fork-scheduling", 0, fork_scheduling}, {nullptr, 0, nullptr}};

}  // namespace probe
