#include "launcher/monitor_start.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "engine/monitor_files.h"
#include "engine/unix_address.h"
#include "launcher/cgroup_files.h"
#include "launcher/describe.h"
#include "launcher/leave_cgroups.h"
#include "launcher/monitor_exit.h"
#include "launcher/monitor_log_reader.h"
#include "launcher/monitor_parent.h"
#include "launcher/trace_file.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

constexpr int kBacklog = 64;
constexpr char kExecPrefix[] = "exec-";

// A directory for the monitor of an exec without --exec-id: the first number that is free.
[[nodiscard]] Failure make_numbered(int monitors, char (&name)[256]) noexcept {
  for (uint64_t number = 1;; ++number) {
    sys::Text(name).add(kExecPrefix).add(number);
    if (::mkdirat(monitors, name, 0700) == 0) {
      return kOk;
    }
    if (errno != EEXIST) {
      return sys::fail("mkdir", "monitor");
    }
  }
}

// The name of a process that has ended, and so has its monitor, may be given again.
[[nodiscard]] Failure make_named(int monitors, const char* name) {
  if (::mkdirat(monitors, name, 0700) == 0) {
    return kOk;
  }
  if (errno != EEXIST) {
    return sys::fail("mkdir", "monitor");
  }
  if (engine::is_monitored(monitors, name) || !engine::remove_monitor(monitors, name)) {
    return sys::fail(EEXIST, "mkdir", "monitor", "there is a process of that name already");
  }
  return ::mkdirat(monitors, name, 0700) == 0 ? kOk : sys::fail("mkdir", "monitor");
}

// Descriptors that the next program is to have.
[[nodiscard]] Failure keep(std::initializer_list<int> fds) noexcept {
  TSRUNC_TRY(sys::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC));
  for (const int fd : fds) {
    if (fd >= 0 && ::fcntl(fd, F_SETFD, 0) != 0) {
      return sys::fail("fcntl");
    }
  }
  return kOk;
}

// Whether nothing that a call makes stays in the cgroup of who makes it: the container has one of its own,
// and no hook is run.
[[nodiscard]] bool moves_all(const wire::Plan& plan) noexcept {
  const wire::OpList& ops = plan.list(wire::List::kCreate);
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind == wire::OpKind::kRunHook) {
      return false;
    }
  }
  return plan.header.cgroup_paths.count > 0;
}

}  // namespace

bool MonitorStart::failed(const char* what, const Failure& failure) {
  if (failure) {
    call_.log.error(Sentence(what, failure).text);
  }
  return failure.code != 0;
}

bool MonitorStart::fork(int& code) {
  MonitorParent parent;
  {
    const UniqueFd cgroup = moves_all(call_.context.plan) ? open_own_cgroup() : UniqueFd();
    if (failed("start the monitor", parent.fork(report_, cgroup.get()))) {
      return false;
    }
  }
  if (parent.is_child()) {
    call_.heir = 0;  // the parent's child
    return true;
  }
  abandon_trace();  // the child's from here on
  call_.reap_heir();
  code = parent.wait();
  return false;
}

bool MonitorStart::open() {
  const wire::Plan& plan = call_.context.plan;
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return !failed("become a sub-reaper", sys::fail("prctl"));
  }
  if (failed("open the streams for the monitor", streams_.open(plan.launch, plan.header.terminal))) {
    return false;
  }
  if (!plan.header.terminal && failed("keep the caller's stderr", call_.log.leave_stderr())) {
    return false;
  }
  return !failed("make the standard streams", streams_.place());
}

bool MonitorStart::committed() {
  (void)::prctl(PR_SET_PDEATHSIG, 0);
  const bool terminal = call_.context.plan.header.terminal;
  if (!terminal && failed("leave the standard streams", streams_.leave())) {
    return false;
  }
  Failure failure = save_pids();
  if (!failure) {
    failure = listen();
  }
  return !failed("make the monitor's files", failure);
}

bool MonitorStart::make_directory() {
  return !failed("make the monitor's directory", try_directory());
}

void MonitorStart::remove_directory() noexcept {
  if (monitors_.valid() && *name_ != 0) {
    (void)engine::remove_monitor(monitors_.get(), name_);
  }
}

Failure MonitorStart::try_directory() {
  const int state = call_.context.state.fd();
  const char* asked = call_.context.plan.launch.monitor.data;
  if (::mkdirat(state, engine::kMonitorDir, 0700) != 0 && errno != EEXIST) {
    return sys::fail("mkdir", "monitor");
  }
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  monitors_.reset(::openat(state, engine::kMonitorDir, kFlags));
  if (!monitors_.valid()) {
    return sys::fail("open", "monitor");
  }
  char name[sizeof name_] = {};
  if (std::strcmp(asked, kExecPrefix) == 0) {
    TSRUNC_TRY(make_numbered(monitors_.get(), name));
  } else {
    if (sys::Text(name).add(asked).cut()) {
      return sys::fail(ENAMETOOLONG, "mkdir", asked, nullptr);
    }
    TSRUNC_TRY(make_named(monitors_.get(), name));
  }
  std::memcpy(name_, name, sizeof name_);
  directory_.reset(::openat(monitors_.get(), name_, kFlags));
  return directory_.valid() ? kOk : sys::fail("open", asked);
}

Failure MonitorStart::save_pids() {
  const auto own = engine::start_time(::getpid());
  TSRUNC_TRY(own.failure());
  engine::ProcessId& process = call_.context.init;
  if (process.start_time == 0) {
    const auto started = engine::start_time(process.pid);
    TSRUNC_TRY(started.failure());
    process.start_time = *started;
  }
  const wire::Launch& launch = call_.context.plan.launch;
  log_.driver = static_cast<LogDriver>(launch.log_driver);
  log_.files_max = launch.log_files_max;
  log_.size_max = launch.log_size_max;
  if (!launch.log_path.empty()) {
    if (sys::Text(log_.path).add(launch.log_path.data).cut()) {
      return sys::fail(ENAMETOOLONG, "open", launch.log_path.data, nullptr);
    }
    TSRUNC_TRY(save_log_place(directory_.get(), log_));
  }
  return engine::write_monitor_pids(directory_.get(), {{::getpid(), *own}, process});
}

Failure MonitorStart::listen() noexcept {
  char path[64];
  sys::Text(path).add(sys::FdPath(directory_.get()).text).add("/socket");
  engine::UnixAddress address;
  TSRUNC_TRY(engine::make_address(path, address));
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const mode_t mask = ::umask(0177);
  const bool bound = listener_.valid() && ::bind(listener_.get(), address.get(), address.length) == 0;
  const Failure failure = bound ? kOk : sys::fail("bind", "socket");
  (void)::umask(mask);
  TSRUNC_TRY(failure);
  return ::listen(listener_.get(), kBacklog) == 0 ? kOk : sys::fail("listen", "socket");
}

void MonitorStart::watch_memory(MonitorOrder& order) noexcept {
  const CgroupDirectories cgroups(call_.context.plan.header.cgroup_paths);
  for (const char* file : {"memory.oom_control", "memory.events"}) {
    const char* directory = cgroups.with(file);
    char path[PATH_MAX];
    if (directory == nullptr || sys::Text(path).add(directory).add("/").add(file).cut()) {
      continue;
    }
    oom_.reset(::open(path, O_RDONLY | O_CLOEXEC));
    if (oom_.valid()) {
      order.oom = oom_.get();
      order.oom_kills = count_oom_kills(oom_.get(), 0);
      return;
    }
  }
}

// All that a monitor needs and may not get: behind its execve(2) nobody waits for it any more.
Failure MonitorStart::prepare(MonitorOrder& order) noexcept {
  sigset_t all;
  sigfillset(&all);
  if (::sigprocmask(SIG_SETMASK, &all, nullptr) != 0) {
    return sys::fail("sigprocmask");
  }
  signals_.reset(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) {
    return sys::fail("signalfd");
  }
  order.signals = signals_.get();
  if (order.terminal) {
    // Our own opening of the other end: the terminal would hang up whenever the container has it closed for
    // a moment.
    slave_.reset(::ioctl(order.output.source, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    order.slave = slave_.get();
  }
  ::umask(077);
  // As low as it may be: a monitor that is killed takes the exit code with it.
  for (const char* score : {"-999", "0"}) {
    if (!sys::write_file(AT_FDCWD, "/proc/self/oom_score_adj", score, std::strlen(score))) {
      break;
    }
  }
  return ::chdir("/") == 0 ? kOk : sys::fail("chdir", "/");
}

// Returns if it fails.
Failure MonitorStart::execute(const MonitorOrder& order) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return sys::fail("pipe2");
  }
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  static_assert(sizeof order <= 16UL * PIPE_BUF);  // pipe(7): all of it is room for one write
  TSRUNC_TRY(sys::write_all(writer.get(), &order, sizeof order, "a pipe"));
  writer.reset();
  TSRUNC_TRY(keep({reader.get(), order.pidfd, order.directory, order.listener, order.signals, order.slave,
                   order.input.source, order.input.sink, order.output.source, order.output.sink,
                   order.error.source, order.error.sink, order.oom, order.log.fd}));
  char variable[64];
  sys::Text(variable).add(kMonitorVariable).add("=").add(static_cast<uint64_t>(reader.get()));
  char name[] = "tsrunc";
  char role[] = "monitor";
  char* words[] = {name, role, nullptr};
  char* environment[] = {variable, nullptr};
  // The pipe ends with execve(2), by which the caller knows that there is a monitor; one that does not wait
  // any more needs no answer.
  const char done = 0;
  (void)sys::write_all(report_.get(), &done, 1, nullptr);
  (void)::execve("/proc/self/exe", words, environment);
  const Failure failure = sys::fail("execve", "/proc/self/exe");
  (void)sys::write_all(report_.get(), &done, 1, nullptr);
  return failure;
}

void MonitorStart::become(Notify* notify) {
  engine::HostContext& context = call_.context;
  if (failed("take over the terminal", streams_.take_terminal(std::move(context.console)))) {
    return;
  }
  if (context.plan.header.terminal && (failed("keep the caller's stderr", call_.log.leave_stderr()) ||
                                       failed("leave the standard streams", streams_.leave()))) {
    return;
  }
  (void)leave_cgroups(false);  // a user who may not stays where the caller is
  if (notify != nullptr && notify->active()) {
    // It waits for the program, which may wait for its monitor.
    const pid_t waiter = ::fork();
    if (waiter == 0) {
      const auto code = static_cast<char>(notify->attend(context, call_.log));
      (void)sys::write_all(report_.get(), &code, 1, nullptr);
      ::_exit(0);
    }
    if (failed("wait for NOTIFY_SOCKET", waiter < 0 ? sys::fail("fork") : kOk)) {
      return;
    }
    report_.reset();
  }
  if (const Failure failure = finish_trace(); failure) {
    call_.log.warn(Sentence("write the trace", failure).text);
  }
  MonitorOrder order;
  order.process = context.init;
  order.pidfd = context.init_pidfd.get();
  order.directory = directory_.get();
  order.listener = listener_.get();
  order.log = log_;
  streams_.fill(order);
  watch_memory(order);
  order.terminal = context.plan.header.terminal;
  order.interactive = context.plan.launch.monitor_interactive;
  // A lock belongs to the open file, which init may still have.
  (void)::flock(context.state.fd(), LOCK_UN);
  Failure failure = prepare(order);
  if (!failure) {
    failure = execute(order);
  }
  (void)failed("become the monitor", failure);
}

}  // namespace tsrunc::launcher
