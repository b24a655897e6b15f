#include "engine/await.h"

#include <poll.h>
#include <unistd.h>

#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/clock.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;

// How often a container that may be frozen is looked at: freezing wakes nobody.
constexpr int kTickMilliseconds = 100;

// As long as for an agent that does not take its listener, see host/stream_socket.cc.
constexpr int kAgentMilliseconds = 10000;
constexpr int kFrozenMilliseconds = 10000;
constexpr char kFrozen[] = "init stands still for 10 s: its cgroup, or one above it, is frozen";
constexpr char kNoAnswer[] =
    "the seccomp agent has not answered for 10 s, and a system call of the container waits for it";

// The agent on which init waits where it does not come on: of a plan whose filter asks one. Hooks of the
// container are under the filter too, and may take as long as they like.
[[nodiscard]] const char* agent_of(const wire::Plan& plan, bool executing) noexcept {
  const wire::OpList& hooks = plan.list(wire::List::kInitStart);
  for (uint32_t i = 0; i < hooks.count && !executing; ++i) {
    if (hooks.items[i].kind == wire::OpKind::kRunHook) {
      return nullptr;
    }
  }
  const wire::OpList& ops = plan.list(wire::List::kCreate);
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind == wire::OpKind::kSendSeccompListener) {
      return ops.items[i].as<wire::SendSeccompListener>().socket.data;
    }
  }
  return nullptr;
}

[[nodiscard]] Failure check_target(HostContext& context) {
  SavedState saved;
  Status status = Status::kStopped;
  TSRUNC_TRY(derive_status(context.state, &context.plan, saved, status));
  switch (status) {
    case Status::kPaused:
      return context.target.waits_while_frozen
                 ? kOk
                 : fail(EBUSY, "poll", nullptr,
                        "the container was paused meanwhile (--ignore-paused waits until it is resumed)");
    case Status::kStopped:
    case Status::kCreating:
      return fail(ESRCH, "poll", nullptr, "the container has ended meanwhile");
    case Status::kCreated:
    case Status::kRunning:
      return kOk;
  }
  return kOk;
}

enum class Outcome { kWaits, kRuns, kFailed };

// One message of exec.result: first init's word that it is about to execute, then either its failure or the
// end of file that a successful execve(2) makes (the descriptor is close-on-exec).
[[nodiscard]] Failure read_result(HostContext& context, int result, bool& executing, FailureRecord& why,
                                  Outcome& outcome) {
  Message message;
  const ssize_t got = ::read(result, &message, sizeof message);
  if (got < 0 && errno == EINTR) {
    return kOk;
  }
  if (got == 0 && executing) {
    outcome = Outcome::kRuns;
    return kOk;
  }
  if (got == 0 && context.target.pidfd.valid()) {
    return fail(ECHILD, "exec", nullptr, "the process ended before it could execute the program");
  }
  if (got == 0) {
    return fail(ECHILD, "start", nullptr, "init ended before it could execute the program");
  }
  if (got != static_cast<ssize_t>(sizeof message)) {
    return got < 0 ? fail("read", "exec.result") : fail(EPROTO, "read", "exec.result", nullptr);
  }
  if (message.type == MessageType::kExecuting) {
    executing = true;
  } else if (message.type == MessageType::kFailure) {
    why = message.record;
    outcome = Outcome::kFailed;
  } else if (message.type == MessageType::kWarning) {
    context.log.warn(message.record.detail);
  }
  return kOk;
}

// create: nothing but a cgroup that somebody has frozen makes init stand still, and nobody may thaw it but
// who did that.
[[nodiscard]] Failure check_frozen(HostContext& context, sys::Patience& patience) {
  const auto frozen = is_frozen(&context.plan);
  if (!frozen.ok() || !*frozen) {
    patience = sys::Patience(kFrozenMilliseconds);
    return kOk;
  }
  return patience.over() ? fail(ETIMEDOUT, "poll", context.plan.header.frozen_file.data, kFrozen) : kOk;
}

}  // namespace

Failure await_readable(HostContext& context, int fd, const char* agent) {
  const Target& target = context.target;
  sys::Patience answer(kAgentMilliseconds);
  sys::Patience frozen(kFrozenMilliseconds);
  while (target.pidfd.valid() || agent != nullptr || context.sync.valid()) {
    // Until the member is known the first process is watched, which may be killed before it has told; poll(2)
    // passes a descriptor of -1 over.
    pollfd fds[3] = {{fd, POLLIN, 0},
                     {target.pidfd.get(), POLLIN, 0},
                     {target.awaits_member ? context.init_pidfd.get() : -1, POLLIN, 0}};
    const int ready = ::poll(fds, 3, kTickMilliseconds);
    if (ready < 0 && errno != EINTR) {
      return fail("poll");
    }
    if (fds[0].revents != 0) {
      return kOk;
    }
    if (ready > 0 && fds[1].revents != 0) {
      return fail(ESRCH, "poll", nullptr, "the container has ended meanwhile");
    }
    if (ready > 0 && fds[2].revents != 0) {
      // What it wrote last may have come between.
      pollfd again{fd, POLLIN, 0};
      return ::poll(&again, 1, 0) > 0
                 ? kOk
                 : fail(ECHILD, "poll", nullptr, "the process ended before it was in the container");
    }
    if (ready == 0 && target.pidfd.valid()) {
      TSRUNC_TRY(check_target(context));
    }
    if (ready == 0 && !target.pidfd.valid()) {
      TSRUNC_TRY(check_frozen(context, frozen));
    }
    if (ready == 0 && agent != nullptr && answer.over()) {
      return fail(ETIMEDOUT, "poll", agent, kNoAnswer);
    }
  }
  return kOk;
}

bool await_exec(HostContext& context, int result, FailureRecord& why) {
  // An init that another call made does not record: what it does is seen only from here.
  const bool foreign = trace.init == nullptr;
  Span span(foreign ? "hooks" : "wait", "startContainer hooks");
  bool executing = false;
  bool seen = false;
  Outcome outcome = Outcome::kWaits;
  while (outcome == Outcome::kWaits) {
    Failure failure = await_readable(context, result, agent_of(context.plan, executing));
    if (!failure) {
      failure = read_result(context, result, executing, why, outcome);
    }
    if (failure) {
      record(why, wire::List::kInitStart, kNoOp, failure);
      return false;
    }
    if (executing && !seen) {
      seen = true;
      span.next(foreign ? "exec" : "wait", "seccomp filter and execve");
    }
  }
  if (outcome == Outcome::kRuns) {
    trace.executed();
  }
  return outcome == Outcome::kRuns;
}

}  // namespace tsrunc::engine
