// What tsrunc does with the plan that node made.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "engine/host_context.h"
#include "launcher/log.h"
#include "launcher/planner_call.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// A call of a verb that was planned.
struct PlannedCall {
  engine::HostContext& context;  // the plan; a state directory that nobody has opened
  pid_t heir;                    // child that node left behind (launcher/handoff.h), or 0
  Logger& log;
  sys::UniqueFd lock;  // state directory, locked before the plan was made (engine/state_lock.h), or none

  // The heir has ended long before a verb has done its work: to wait for it earlier would be to wait for what
  // it was started to do.
  void reap_heir() noexcept;
};

// `words`: text of _TSRUNC_PLAN (launcher/handoff.h). Returns the exit code.
[[nodiscard]] int run_planned(const char* words);
// A plan that came into the memory of this process, by a planner that was asked for one of that kind. `lock`:
// as PlannedCall has it.
[[nodiscard]] int run_planned(const void* bytes, size_t size, PlanKind kind, sys::UniqueFd lock);

// wait(2): with SIGCHLD ignored children vanish together with their exit status.
void notice_children() noexcept;

// What stands in the table of planned.cc: one function for an action, each in a file of its own. Returns the
// exit code; what went wrong is logged.
[[nodiscard]] int make_container(PlannedCall& call);  // create, run
[[nodiscard]] int update_container(PlannedCall& call);
[[nodiscard]] int checkpoint_container(PlannedCall& call);
[[nodiscard]] int restore_container(PlannedCall& call);
[[nodiscard]] int exec_in_container(PlannedCall& call);

// runc's exit code for failures of its own, which a program's are not mistaken for.
inline constexpr int kExecFailed = 255;

}  // namespace tsrunc::launcher
