// --monitor: a container, or one more process of it, that has a monitor. The call of tsrunc forks; the child
// makes the container as always, so that its first process is a child of this child, tells its parent how it
// went and executes tsrunc again, as the monitor (monitor.h): fresh, small, without anything of its caller's.
//
// Until the process is committed the child ends with the call, and with it the process; the call passes the
// signals on by which it is interrupted.
#pragma once

#include "launcher/monitor_streams.h"
#include "launcher/notify.h"
#include "launcher/planned.h"

namespace tsrunc::launcher {

class MonitorStart {
 public:
  explicit MonitorStart(PlannedCall& call) noexcept : call_(call) {}

  // Whether the plan asks for a monitor.
  [[nodiscard]] bool wanted() const noexcept { return !call_.context.plan.launch.monitor.empty(); }
  // Before the engine's work, where a monitor is wanted. Returns true in the child, which goes on; false in
  // the parent, once the child has told, or after a failure, which has been logged: then `code`, which comes
  // as that of a failure of tsrunc, is the exit code.
  [[nodiscard]] bool begin(int& code) { return !wanted() || (fork(code) && open()); }
  // In the child. Each failure has been logged.
  [[nodiscard]] bool make_directory();  // once there is a state directory
  [[nodiscard]] bool committed();       // behind the engine's work: the process lives without its caller
  // There is no process.
  void remove_directory() noexcept;
  // Does not return, unless it fails. `notify`: the caller waits for its READY=1 as well.
  void become(Notify* notify);

 private:
  [[nodiscard]] bool fork(int& code);
  [[nodiscard]] bool open();
  [[nodiscard]] bool failed(const char* what, const sys::Failure& failure);
  [[nodiscard]] sys::Failure try_directory();
  [[nodiscard]] sys::Failure save_pids();
  [[nodiscard]] sys::Failure listen() noexcept;
  void watch_memory(MonitorOrder& order) noexcept;
  [[nodiscard]] sys::Failure prepare(MonitorOrder& order) noexcept;
  [[nodiscard]] sys::Failure execute(const MonitorOrder& order);

  PlannedCall& call_;
  MonitorStreams streams_;
  sys::UniqueFd report_;
  MonitorLogOrder log_;
  sys::UniqueFd monitors_;
  sys::UniqueFd directory_;
  char name_[256] = {};  // in `monitors_`
  sys::UniqueFd listener_;
  sys::UniqueFd oom_;
  sys::UniqueFd signals_;
  sys::UniqueFd slave_;
};

// The exit code of a call that makes a process, which may have a monitor. `failed`: that of a failure of
// tsrunc.
[[nodiscard]] inline int monitored(PlannedCall& call, int failed,
                                   int (*make)(PlannedCall& call, MonitorStart& monitor)) {
  MonitorStart monitor(call);
  int code = failed;
  return monitor.begin(code) ? make(call, monitor) : code;
}

}  // namespace tsrunc::launcher
