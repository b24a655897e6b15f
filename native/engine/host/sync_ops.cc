// The host's half of the conversation with init, and what it does to init from outside.
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "engine/await.h"
#include "engine/host_context.h"
#include "engine/save_state.h"
#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Text;

// The process that was cloned goes on as its child; it has nothing left to do but to end.
void adopt(HostContext& context, pid_t pid, sys::UniqueFd pidfd) {
  const pid_t first = context.init.pid;
  context.init = {pid, 0};
  trace.member_pid = pid;
  context.init_pidfd = std::move(pidfd);
  context.target.awaits_member = false;
  while (::waitpid(first, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// Init's createContainer hooks begin behind the step `hooked`; see hook_op.cc.
bool init_runs_hooks(const HostContext& context) {
  const wire::OpList& ops = context.plan.list(wire::List::kInit);
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind == wire::OpKind::kRunHook) {
      return true;
    }
  }
  return false;
}

}  // namespace

Failure describe_death(HostContext& context) {
  siginfo_t info{};
  pollfd gone{context.init_pidfd.get(), POLLIN, 0};
  constexpr int kGraceMs = 1000;
  (void)::poll(&gone, 1, kGraceMs);
  Text text(context.detail);
  text.add("init ended before the container was ready");
  if (::waitid(P_PID, static_cast<id_t>(context.init.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      info.si_pid == context.init.pid) {
    if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED) {
      text.add(": killed by signal ").add(static_cast<uint64_t>(info.si_status));
      text.add(info.si_status == SIGKILL ? "; is the memory limit too low?" : "");
    } else {
      text.add(": exit status ").add(static_cast<uint64_t>(info.si_status));
    }
  }
  return fail(ECHILD, "sync", nullptr, context.detail);
}

namespace {

// A socket whose other end was closed before all was read there says so (ECONNRESET) before it gives what
// came through it, once: an init that fails while it is told something has its failure behind that.
Failure receive_last(int socket, Message& message, sys::UniqueFd& descriptor) {
  const Failure failure = receive(socket, message, &descriptor);
  return failure.code == ECONNRESET ? receive(socket, message, &descriptor) : failure;
}

Failure await_step(HostContext& context, uint32_t step) {
  const bool filtered = step == static_cast<uint32_t>(wire::Step::kFiltered);
  bool reached = false;
  for (;;) {
    Message message;
    sys::UniqueFd descriptor;
    // The socket's end of file is init's death, so that this wait always ends; init itself waits for nobody
    // else but hooks, whose time limits are the configuration's, and then for the agent of its filter.
    TSRUNC_TRY(await_readable(context, context.sync.get(), context.agent));
    if (Failure failure = receive_last(context.sync.get(), message, descriptor); failure) {
      return failure.code == ECONNRESET ? describe_death(context) : failure;
    }
    switch (message.type) {
      case MessageType::kWarning:
        context.log.warn(message.record.detail);
        continue;
      case MessageType::kFailure:
        context.init_failure = message.record;
        context.init_failed = true;
        return fail(message.record.code, "init", nullptr, nullptr);
      case MessageType::kMember:
        adopt(context, static_cast<pid_t>(message.step), std::move(descriptor));
        if (reached) {
          return kOk;
        }
        continue;
      case MessageType::kStep:
        if (message.step != step) {
          break;
        }
        (filtered ? context.seccomp_listener : context.console) = std::move(descriptor);
        // The two processes write to one socket: the second one may be faster.
        if (!context.target.awaits_member) {
          return kOk;
        }
        reached = true;
        continue;
      case MessageType::kExecuting:
      case MessageType::kSource:
      case MessageType::kTree:
        break;
    }
    return fail(EPROTO, "sync", nullptr, "host and init disagree on how far they are");
  }
}

}  // namespace

Failure run(HostContext& context, const wire::ReleaseInit& op) {
  if (op.step == static_cast<uint32_t>(wire::Step::kMapped)) {
    // The trees are init's alone from here on.
    context.init_root.reset();
    for (sys::UniqueFd& slot : context.slots) {
      slot.reset();
    }
  }
  if (op.step == static_cast<uint32_t>(wire::Step::kHooked) && init_runs_hooks(context)) {
    TSRUNC_TRY(context.state.journal("hooks", "createContainer"));
  }
  if (op.step == static_cast<uint32_t>(wire::Step::kGrouped)) {
    context.ungrouped = false;
  }
  if (Failure failure = send_step(context.sync.get(), static_cast<wire::Step>(op.step)); failure) {
    // Init may have ended while it mounted: what it said of that is still in the socket.
    return failure.code == EPIPE || failure.code == ECONNRESET ? await_step(context, op.step) : failure;
  }
  return kOk;
}

namespace {

// Whether what the state will say is known: nothing else is done, or noted, behind this operation, and init
// runs no hooks, which may take any time.
bool knows_state(const HostContext& context, const wire::AwaitInit& op) {
  const wire::OpList& ops = context.plan.list(wire::List::kCreate);
  const wire::Op& last = ops.items[ops.count - 1];
  return context.creates && last.kind == wire::OpKind::kAwaitInit && &last.as<wire::AwaitInit>() == &op &&
         !init_runs_hooks(context);
}

}  // namespace

Failure run(HostContext& context, const wire::AwaitInit& op) {
  if (knows_state(context, op)) {
    // Init is what takes the time now. What fails here fails at commit again, and is told there.
    (void)draft_state(context);
  }
  return await_step(context, op.step);
}

Failure run(HostContext& context, const wire::RaiseRlimit& op) {
  const auto resource = static_cast<enum __rlimit_resource>(op.resource);
  rlimit limit{};
  if (::prlimit(context.init.pid, resource, nullptr, &limit) < 0) {
    return fail("prlimit");
  }
  if (limit.rlim_max >= op.hard) {
    return kOk;
  }
  limit.rlim_max = op.hard;
  if (::prlimit(context.init.pid, resource, &limit, nullptr) < 0) {
    return fail(errno, "prlimit", nullptr,
                errno == EPERM
                    ? "operation not permitted: tsrunc may not raise its own hard limit (CAP_SYS_RESOURCE)"
                    : nullptr);
  }
  return kOk;
}

}  // namespace tsrunc::engine
