// cloneExec: one more process for a container that exists. It is a child of tsrunc, in the container's cgroup
// from its first moment on v2, and enters everything else by itself (engine/init/enter.cc).
#include <linux/stat.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <climits>
#include <csignal>
#include <cstring>

#include "engine/host_context.h"
#include "engine/init/init_context.h"
#include "engine/trace.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

// With the words that engines know from runc.
[[nodiscard]] Failure check_status(const Target& target, bool ignore_paused) {
  switch (target.status) {
    case Status::kPaused:
      return ignore_paused ? kOk
                           : fail(EBUSY, "clone3", nullptr,
                                  "cannot exec in a paused container (use --ignore-paused to override)");
    case Status::kStopped:
      return fail(ESRCH, "clone3", nullptr, "cannot exec in a stopped container");
    case Status::kCreating:
      return fail(EAGAIN, "clone3", nullptr, "cannot exec in a container that is being created");
    case Status::kCreated:
    case Status::kRunning:
      return kOk;
  }
  return kOk;
}

[[nodiscard]] bool becomes_member(const wire::Plan& plan) noexcept {
  const wire::OpList& ops = plan.list(wire::List::kInit);
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind == wire::OpKind::kBecomeMember) {
      return true;
    }
  }
  return false;
}

[[nodiscard]] Failure make_pipe(UniqueFd& reader, UniqueFd& writer) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) {
    return fail("pipe2");
  }
  reader.reset(ends[0]);
  writer.reset(ends[1]);
  return kOk;
}

// What start does by two files in the state directory is done by pipes, since there are many execs at a time.
[[nodiscard]] Failure connect(HostContext& context, InitContext& init) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
    return fail("socketpair");
  }
  context.sync.reset(ends[0]);
  init.sync.reset(ends[1]);
  TSRUNC_TRY(make_pipe(init.exec_fifo, context.target.go));
  TSRUNC_TRY(make_pipe(context.target.result, init.exec_result));
  init.container = context.target.pidfd.get();
  init.container_pid = context.target.init.pid;
  return kOk;
}

[[nodiscard]] Failure clone_into(HostContext& context, InitContext& init, int cgroup) {
  clone_args args{};
  int pidfd = -1;
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup);
  }
  const long pid = sys::clone3(args);
  if (pid < 0) {
    return fail(errno, "clone3", nullptr,
                errno == EAGAIN
                    ? "resource temporarily unavailable: does the pids limit of the container allow "
                      "two more processes?"
                    : nullptr);
  }
  if (pid == 0) {
    context.sync.reset();
    init_main(init);
  }
  context.init.pid = static_cast<pid_t>(pid);
  trace.init_pid = context.init.pid;
  context.init_pidfd.reset(pidfd);
  return kOk;
}

// Cuts `path` to the directory at which its file system is mounted.
[[nodiscard]] bool cut_to_mount(char* path) noexcept {
  for (;;) {
    struct statx about {};
    if (::statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &about) == 0 &&
        (about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
      return true;
    }
    char* slash = std::strrchr(path, '/');
    if (slash == nullptr || slash == path) {
      return false;
    }
    *slash = 0;
  }
}

// The cgroup that the container's first process is in by now, beneath the same mount as `beside`.
[[nodiscard]] Failure find_inits_own(const HostContext& context, const char* beside, char (&out)[PATH_MAX]) {
  char file[48];
  sys::Text(file).add("/proc/").add(static_cast<uint64_t>(context.target.init.pid)).add("/cgroup");
  char lines[2 * PATH_MAX];
  const auto length = sys::read_file(AT_FDCWD, file, lines, sizeof lines);
  if (!length.ok()) {
    return fail(length.failure().code, "read", "/proc/PID/cgroup", nullptr);
  }
  const char* own = std::strncmp(lines, "0::", 3) == 0 ? lines : std::strstr(lines, "\n0::");
  own = own == nullptr ? nullptr : std::strchr(own, '/');
  sys::Text path(out);
  path.add(beside);
  if (own == nullptr || path.cut() || !cut_to_mount(out)) {
    return fail(ENOENT, "read", "/proc/PID/cgroup", nullptr);
  }
  char root[PATH_MAX];
  std::memcpy(root, out, sizeof root);
  sys::Text full(out);
  full.add(root).add(own, std::strcspn(own, "\n"));
  return full.cut() ? fail(ENAMETOOLONG, "read", "/proc/PID/cgroup", nullptr) : kOk;
}

[[nodiscard]] Failure clone_by_path(HostContext& context, InitContext& init, const char* path) {
  Result<UniqueFd> cgroup = sys::open_host(path, O_PATH | O_DIRECTORY);
  return cgroup.ok() ? clone_into(context, init, cgroup->get()) : cgroup.failure();
}

// False: the failure to clone into `beside` is the one to tell.
[[nodiscard, gnu::noinline]] bool clone_beside(HostContext& context, InitContext& init, const char* beside) {
  char path[PATH_MAX];
  return !find_inits_own(context, beside, path) && !clone_by_path(context, init, path);
}

[[nodiscard]] bool is_not_for_processes(int code) noexcept {
  // "No internal processes" of Documentation/admin-guide/cgroup-v2.rst, a threaded domain, a directory that
  // an init system inside has removed.
  return code == EBUSY || code == EOPNOTSUPP || code == ENOENT || code == ENODEV;
}

}  // namespace

Failure run(HostContext& context, const wire::CloneExec& op) {
  TSRUNC_TRY(check_status(context.target, op.ignore_paused));
  context.target.waits_while_frozen = op.ignore_paused;
  context.target.awaits_member = becomes_member(context.plan);
  InitContext init(context.plan, context.slots);
  TSRUNC_TRY(connect(context, init));
  // A process of the container must not be able to look into one that is on its way (CVE-2016-9962).
  if (::prctl(PR_SET_DUMPABLE, 0) < 0) {
    return fail("prctl");
  }
  TSRUNC_TRY(trace.share(context.plan));
  if (op.into.empty()) {
    return clone_into(context, init, -1);
  }
  const Failure failure = clone_by_path(context, init, op.into.data);
  if (!failure || !op.or_inits_own || !is_not_for_processes(failure.code)) {
    return failure ? fail(failure.code, failure.call, op.into.data, failure.detail) : kOk;
  }
  return clone_beside(context, init, op.into.data)
             ? kOk
             : fail(failure.code, failure.call, op.into.data, failure.detail);
}

}  // namespace tsrunc::engine
