// Making init: one clone3(2) with all new namespaces at once, and into the cgroup on v2.
//
// Namespaces that are joined (setns), and time offsets, need a process of their own that enters them first,
// the usher: setns changes the caller, and for pid and time only the caller's later children. It clones init
// as a child of tsrunc (CLONE_PARENT), says init's pid, and ends.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "engine/host_context.h"
#include "engine/init/init_context.h"
#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

constexpr uint32_t kMaxJoins = 16;

struct Join {
  uint32_t type = 0;
  const char* path = nullptr;
  UniqueFd fd;
  bool done = false;
};

struct Plan {
  const wire::CloneInit& op;
  Join joins[kMaxJoins];
  uint32_t join_count = 0;
  UniqueFd cgroup;
};

// What the usher tells: init's pid, or why there is none.
struct UsherReport {
  pid_t init = 0;
  int code = 0;
  uint32_t join = 0;  // index of the namespace that could not be entered
  bool joining = false;
};

// A failure from here on is that of one namespace of the configuration.
void blame(HostContext& context, const wire::CloneInit& op, uint32_t join) {
  sys::Text(context.suffix).add("/namespaces/").add(uint64_t{op.join_indexes.items[join]}).add("/path");
}

Failure open_namespaces(HostContext& context, Plan& plan) {
  const wire::CloneInit& op = plan.op;
  if (op.join_types.count != op.join_paths.count || op.join_types.count != op.join_indexes.count ||
      op.join_types.count > kMaxJoins) {
    return fail(EINVAL, "plan", nullptr, "the lists of namespaces to join do not fit");
  }
  for (uint32_t i = 0; i < op.join_types.count; ++i) {
    Join& join = plan.joins[i];
    join.type = op.join_types.items[i];
    join.path = op.join_paths.items[i];
    blame(context, op, i);
    Result<UniqueFd> fd = sys::open_host(join.path, O_RDONLY);
    if (!fd.ok()) {
      return fd.failure();
    }
    join.fd = std::move(*fd);
    // ioctl_ns(2): ENOTTY for what is no namespace.
    const int type = ::ioctl(join.fd.get(), NS_GET_NSTYPE);
    if (type < 0 || static_cast<uint32_t>(type) != join.type) {
      sys::Text(context.detail)
          .add("invalid argument: ")
          .add(type < 0 ? "it is not a namespace" : "it is a namespace of another type");
      return fail(EINVAL, "setns", join.path, context.detail);
    }
    sys::Text(context.suffix).add("/namespaces");
  }
  plan.join_count = op.join_types.count;
  return kOk;
}

// The two ends of start's conversation with init; see state_dir.h.
Failure open_fifos(const HostContext& context, InitContext& init) {
  Result<UniqueFd> exec = context.state.open_file("exec.fifo", O_RDWR);
  if (!exec.ok()) {
    return exec.failure();
  }
  // fifo(7): opening for writing needs a reader; this one is gone again when the function returns.
  Result<UniqueFd> reader = context.state.open_file("exec.result", O_RDWR);
  if (!reader.ok()) {
    return reader.failure();
  }
  Result<UniqueFd> result = context.state.open_file("exec.result", O_WRONLY);
  if (!result.ok()) {
    return result.failure();
  }
  init.exec_fifo = std::move(*exec);
  init.exec_result = std::move(*result);
  return kOk;
}

[[noreturn]] void become_init(HostContext& context, InitContext& init) noexcept {
  context.sync.reset();
  init_main(init);
}

clone_args arguments(const Plan& plan, uint64_t extra) noexcept {
  clone_args args{};
  args.flags = plan.op.flags | extra;
  if (plan.cgroup.valid()) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(plan.cgroup.get());
  }
  return args;
}

Failure clone_directly(HostContext& context, const Plan& plan, InitContext& init) {
  clone_args args = arguments(plan, CLONE_PIDFD);
  int pidfd = -1;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = sys::clone3(args);
  if (pid < 0) {
    return fail("clone3");
  }
  if (pid == 0) {
    become_init(context, init);
  }
  context.init.pid = static_cast<pid_t>(pid);
  context.init_pidfd.reset(pidfd);
  return kOk;
}

// Enters everything but `except`. A namespace that belongs to the user namespace to be joined may answer
// EPERM before that one was entered; it is tried again after it.
int enter(Plan& plan, uint32_t only, uint32_t except, bool tolerant, uint32_t& culprit) noexcept {
  for (uint32_t i = 0; i < plan.join_count; ++i) {
    Join& join = plan.joins[i];
    if (join.done || join.type == except || (only != 0 && join.type != only)) {
      continue;
    }
    if (::setns(join.fd.get(), static_cast<int>(join.type)) == 0) {
      join.done = true;
    } else if (!tolerant || errno != EPERM) {
      culprit = i;
      return errno;
    }
  }
  return 0;
}

bool joins_user(const Plan& plan) noexcept {
  for (uint32_t i = 0; i < plan.join_count; ++i) {
    if (plan.joins[i].type == CLONE_NEWUSER) {
      return true;
    }
  }
  return false;
}

// time_namespaces(7): offsets may be written as long as no process is in the namespace.
int set_time_offsets(const Plan& plan) noexcept {
  const wire::Str& offsets = plan.op.time_offsets;
  if (offsets.empty()) {
    return 0;
  }
  if (::unshare(CLONE_NEWTIME) < 0) {
    return errno;
  }
  return sys::write_file(AT_FDCWD, "/proc/self/timens_offsets", offsets.data, offsets.size).code;
}

[[noreturn]] void usher(HostContext& context, Plan& plan, InitContext& init, int report_fd) noexcept {
  // Of the host side alone: init looks whether it is open still.
  context.sync.reset();
  UsherReport report;
  const bool user = joins_user(plan);
  report.joining = true;
  report.code = set_time_offsets(plan);
  report.joining = report.code == 0;
  if (report.code == 0) {
    report.code = enter(plan, 0, CLONE_NEWUSER, user, report.join);
  }
  if (report.code == 0 && user) {
    report.code = enter(plan, CLONE_NEWUSER, 0, false, report.join);
  }
  if (report.code == 0 && user) {
    report.code = enter(plan, 0, CLONE_NEWUSER, false, report.join);
  }
  if (report.code == 0) {
    report.joining = false;
    clone_args args = arguments(plan, CLONE_PARENT);
    if (!plan.op.time_offsets.empty()) {
      args.flags &= ~uint64_t{CLONE_NEWTIME};
    }
    const long pid = sys::clone3(args);
    if (pid == 0) {
      become_init(context, init);
    }
    report.init = static_cast<pid_t>(pid);
    report.code = pid < 0 ? errno : 0;
  }
  [[maybe_unused]] const ssize_t told = ::write(report_fd, &report, sizeof report);
  ::_exit(0);
}

// time_namespaces(7): ERANGE for an offset with which a clock would be negative or overflow.
Failure refused_offsets(HostContext& context, int code) {
  sys::Text(context.suffix).add("/timeOffsets");
  return fail(code, "write", "/proc/self/timens_offsets",
              code == ERANGE
                  ? "numerical result out of range: a clock of the container would be before its zero, or "
                    "beyond what the kernel can count"
                  : nullptr);
}

Failure read_report(HostContext& context, const Plan& plan, int fd) {
  UsherReport report;
  ssize_t got = 0;
  do {
    got = ::read(fd, &report, sizeof report);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof report)) {
    return fail(ECHILD, "clone3", nullptr, "the process that was to enter the namespaces ended early");
  }
  if (report.code != 0) {
    if (report.joining) {
      blame(context, plan.op, report.join);
      return fail(report.code, "setns", plan.joins[report.join].path, nullptr);
    }
    if (report.init == 0) {
      return refused_offsets(context, report.code);
    }
    return fail(report.code, "clone3", nullptr, nullptr);
  }
  context.init.pid = report.init;
  context.init_pidfd.reset(sys::pidfd_open_raw(report.init, 0));
  return context.init_pidfd.valid() ? kOk : fail("pidfd_open");
}

Failure clone_by_usher(HostContext& context, Plan& plan, InitContext& init) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) {
    return fail("pipe2");
  }
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  clone_args args{};
  args.exit_signal = SIGCHLD;
  const long pid = sys::clone3(args);
  if (pid < 0) {
    return fail("clone3");
  }
  if (pid == 0) {
    usher(context, plan, init, writer.get());
  }
  writer.reset();
  Failure failure = read_report(context, plan, reader.get());
  while (::waitpid(static_cast<pid_t>(pid), nullptr, 0) < 0 && errno == EINTR) {
  }
  return failure;
}

}  // namespace

Failure run(HostContext& context, const wire::CloneInit& op) {
  Plan plan{op, {}, 0, {}};
  sys::Text(context.suffix).add("/namespaces");
  TSRUNC_TRY(open_namespaces(context, plan));
  if (!op.into_cgroup.empty()) {
    Result<UniqueFd> cgroup = sys::open_host(op.into_cgroup.data, O_PATH | O_DIRECTORY);
    if (!cgroup.ok()) {
      return cgroup.failure();
    }
    plan.cgroup = std::move(*cgroup);
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
    return fail("socketpair");
  }
  context.sync.reset(ends[0]);
  InitContext init(context.plan, context.slots);
  init.sync.reset(ends[1]);
  TSRUNC_TRY(open_fifos(context, init));
  // A process inside of a namespace that init joins must not be able to look into it (CVE-2016-9962). Without
  // privileges the id maps of an undumpable process could not be written; then nobody else is inside either.
  if (::geteuid() == 0 && ::prctl(PR_SET_DUMPABLE, 0) < 0) {
    return fail("prctl");
  }
  TSRUNC_TRY(trace.share(context.plan));
  const bool direct = plan.join_count == 0 && op.time_offsets.empty();
  TSRUNC_TRY(direct ? clone_directly(context, plan, init) : clone_by_usher(context, plan, init));
  trace.init_pid = context.init.pid;
  Result<uint64_t> since = start_time(context.init.pid);
  if (!since.ok()) {
    return since.failure();
  }
  context.init.start_time = *since;
  return kOk;
}

}  // namespace tsrunc::engine
