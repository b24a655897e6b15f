#include "launcher/planned.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "engine/trace.h"
#include "launcher/describe.h"
#include "launcher/leave.h"
#include "launcher/plan_memory.h"
#include "launcher/trace_file.h"
#include "sys/scan.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

using wire::Action;

constexpr int kFailed = 1;

// A verb whose plan node makes.
struct PlannedVerb {
  Action action;
  int failed;  // exit code of tsrunc's own failures
  const char* name;
  int (*run)(PlannedCall& call);
};

constexpr PlannedVerb kVerbs[] = {
    {Action::kCreate, kFailed, "create", make_container},
    {Action::kRun, kFailed, "run", make_container},
    {Action::kUpdate, kFailed, "update", update_container},
    {Action::kCheckpoint, kFailed, "checkpoint", checkpoint_container},
    {Action::kRestore, kFailed, "restore", restore_container},
    {Action::kExec, kExecFailed, "exec", exec_in_container},
};

[[nodiscard]] bool is_of(PlanKind kind, uint32_t action) noexcept {
  switch (static_cast<Action>(action)) {
    case Action::kCreate:
    case Action::kRun:
      return kind == PlanKind::kContainer;
    case Action::kExec:
      return kind == PlanKind::kProcess;
    case Action::kUpdate:
      return kind == PlanKind::kLimits;
    default:
      return false;
  }
}

[[nodiscard]] const PlannedVerb* find_verb(uint32_t action) noexcept {
  for (const PlannedVerb& verb : kVerbs) {
    if (static_cast<uint32_t>(verb.action) == action) {
      return &verb;
    }
  }
  return nullptr;
}

// What _TSRUNC_PLAN says (launcher/handoff.h).
struct Legacy {
  int plan = -1;
  pid_t heir = 0;
  int lock = -1;
};

[[nodiscard]] Legacy parse_legacy(const char* text) {
  Legacy legacy;
  sys::Scan words(text);
  words.number(legacy.plan).word(":").number(legacy.heir);
  const bool locked = !words.complete();
  if (locked) {
    words.word(":").number(legacy.lock);
  }
  const bool good = words.complete() && (!locked || legacy.lock > STDERR_FILENO);
  return good && legacy.plan > STDERR_FILENO ? legacy : Legacy{};
}

}  // namespace

void notice_children() noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  (void)::sigaction(SIGCHLD, &action, nullptr);
}

void PlannedCall::reap_heir() noexcept {
  while (heir > 0 && ::waitpid(heir, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  heir = 0;
}

namespace {

[[nodiscard]] int refuse(const sys::Failure& failure) {
  Logger("").error(Sentence("take over the plan", failure).text);
  return kFailed;
}

[[nodiscard]] int run(wire::Plan& plan, pid_t heir, sys::UniqueFd lock) {
  notice_children();
  const PlannedVerb* verb = find_verb(plan.launch.action);
  if (verb == nullptr) {
    Logger("").error("take over the plan: it is of no verb that this executable knows");
    return kFailed;
  }
  Logger log(verb->name);
  name_traced_verb(verb->name);
  const Level level = plan.launch.debug ? Level::kDebug : Level::kWarning;
  if (const sys::Failure failure = log.open({plan.launch.log.data, plan.launch.log_json, level}); failure) {
    log.error(Sentence("open the log", failure).text);
    return verb->failed;
  }
  engine::StateDir state;
  engine::HostContext context(plan, state, log);
  PlannedCall call{context, heir, log, std::move(lock)};
  const int code = verb->run(call);
  if (const sys::Failure failure = finish_trace(); failure) {
    log.warn(Sentence("write the trace", failure).text);
  }
  return code;
}

}  // namespace

int run_planned(const void* bytes, size_t size, PlanKind kind, sys::UniqueFd lock) {
  PlanMemory memory;
  wire::Plan plan;
  {
    const engine::Span span("plan", "decode the plan");
    if (const sys::Failure failure = memory.decode(bytes, size, plan); failure) {
      return refuse(failure);
    }
  }
  // update is no sealed copy: what needs one must not be run by it.
  if (!is_of(kind, plan.launch.action)) {
    return refuse(sys::fail(EBADMSG, "recv", "the planner's socket", "the plan is one of another verb"));
  }
  const int code = run(plan, 0, std::move(lock));
  (void)finish_trace();  // of a call that has failed before it was one of a verb
  leave(code);
}

int run_planned(const char* words) {
  const Legacy legacy = parse_legacy(words);
  sys::UniqueFd lock(legacy.lock);
  if (lock.valid() && ::fcntl(lock.get(), F_SETFD, FD_CLOEXEC) != 0) {
    Logger("").error(Sentence("take over the lock", sys::fail("fcntl")).text);
    return kFailed;
  }
  PlanMemory memory;
  wire::Plan plan;
  {
    const engine::Span span("plan", "decode the plan");
    const sys::UniqueFd fd(legacy.plan);
    if (const sys::Failure failure = memory.load(fd.get(), plan); failure) {
      return refuse(failure);
    }
  }
  return run(plan, legacy.heir, std::move(lock));
}

}  // namespace tsrunc::launcher
