// Init: the process that becomes the container's first. Runs its two lists and reports at most one failure.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "engine/init/courier.h"
#include "engine/init/init_context.h"
#include "engine/init/root_path.h"
#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using wire::List;

Failure run_op(InitContext& context, const wire::Op& op) noexcept {
  const Span span(op);
  switch (op.kind) {
#define TSRUNC_RUN(name)      \
  case wire::OpKind::k##name: \
    return run(context, op.as<wire::name>());
    TSRUNC_INIT_OPS(TSRUNC_RUN)
#undef TSRUNC_RUN
#define TSRUNC_REFUSE(name) case wire::OpKind::k##name:
    TSRUNC_HOST_ONLY_OPS(TSRUNC_REFUSE)
#undef TSRUNC_REFUSE
    break;
  }
  return fail(EINVAL, "plan", nullptr, "an operation of the host side stands in init's list");
}

// The failure goes to whoever waits: the host side while the sync socket is open, afterwards `tsrunc start`.
[[noreturn]] void give_up(InitContext& context, List list, uint32_t index, const Failure& failure) noexcept {
  Message message;
  message.type = MessageType::kFailure;
  record(message.record, list, index, failure);
  sys::Text(message.record.suffix).add(context.suffix);
  sys::Text(message.record.pointer).add(context.pointer == nullptr ? "" : context.pointer);
  if (context.courier != nullptr) {
    courier_failed(context, message);
  }
  if (context.sync.valid()) {
    (void)send_message(context.sync.get(), message);
  } else {
    (void)sys::write_once(context.exec_result.get(), &message, sizeof message, nullptr);
  }
  ::_exit(1);
}

// Before the system call filter, which may forbid what this needs: nothing beyond what the plan promises
// crosses execve (config-linux.md "File descriptors"), and whoever started the container now waits for
// exec.result to be closed by it.
Failure announce_exec(InitContext& context) noexcept {
  TSRUNC_TRY(sys::close_range(3 + context.plan.header.preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC));
  Message message;
  message.type = MessageType::kExecuting;
  return sys::write_once(context.exec_result.get(), &message, sizeof message, "exec.result");
}

void run_list(InitContext& context, List list) noexcept {
  const wire::OpList& ops = context.plan.list(list);
  bool announced = false;
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (list == List::kInitStart && !announced && ops.items[i].kind != wire::OpKind::kRunHook) {
      announced = true;
      if (Failure failure = announce_exec(context); failure) {
        give_up(context, list, kNoOp, failure);
      }
    }
    context.suffix[0] = 0;
    context.pointer = nullptr;
    // Before, because it may be covered by now; after, because the operation may have covered what it kept.
    const bool keeps = keeps_directory(ops.items[i].kind);
    if (!keeps) {
      context.kept.drop();
    }
    if (Failure failure = run_op(context, ops.items[i]); failure) {
      give_up(context, list, i, failure);
    }
    if (!keeps) {
      context.kept.drop();
    }
  }
}

}  // namespace

namespace {

// The next message that is not a descriptor for a slot.
Failure receive_step(InitContext& context, Message& message) noexcept {
  for (;;) {
    sys::UniqueFd fd;
    // ECONNRESET: tsrunc is gone, and with it whoever could hear why. Init ends, so that nothing is left.
    TSRUNC_TRY(receive(context.sync.get(), message, &fd));
    const bool source = message.type == MessageType::kSource;
    if ((!source && message.type != MessageType::kTree) || message.step >= kMaxSlots) {
      return kOk;
    }
    context.slots[message.step] = std::move(fd);
    context.is_source[message.step] = source;
  }
}

}  // namespace

Failure run(InitContext& context, const wire::AwaitHost& op) noexcept {
  if (!context.sync.valid()) {
    return kOk;  // the courier waits
  }
  Message message;
  TSRUNC_TRY(receive_step(context, message));
  if (message.type != MessageType::kStep || message.step != op.step) {
    return fail(EPROTO, "sync", nullptr, "host and init disagree on how far they are");
  }
  if (op.step == static_cast<uint32_t>(wire::Step::kCommitted)) {
    // From here on the container is on its own, whatever becomes of tsrunc.
    return ::prctl(PR_SET_PDEATHSIG, 0) < 0 ? fail("prctl") : kOk;
  }
  return kOk;
}

Failure run(InitContext& context, const wire::ReportToHost& op) noexcept {
  if (context.courier != nullptr) {
    courier_ready(context);
    return kOk;
  }
  if (op.step == static_cast<uint32_t>(wire::Step::kReady)) {
    // Nothing is made any more. config.md "User": without a mask in the configuration the caller's is kept.
    (void)::umask(context.callers_umask);
  }
  const sys::UniqueFd console = std::move(context.console);
  return send_step(context.sync.get(), static_cast<wire::Step>(op.step), console.get());
}

void warn(InitContext& context, const char* text) noexcept {
  if (!context.sync.valid()) {
    return;
  }
  Message message;
  message.type = MessageType::kWarning;
  record(message.record, List::kInit, kNoOp, fail(EPERM, "warning", nullptr, text));
  (void)send_message(context.sync.get(), message);
}

namespace {

// Closes every descriptor but the standard ones, those the container keeps, and init's own: neither the state
// directory with its lock nor anything the caller left open may be within reach of what runs in the container
// (CVE-2016-9962, CVE-2024-21626).
Failure close_others(const InitContext& context) noexcept {
  constexpr size_t kOwn = 4;
  int keep[kMaxSlots + kOwn];
  size_t count = 0;
  const auto insert = [&](int fd) noexcept {
    if (fd < 0) {
      return;
    }
    size_t at = count++;
    for (; at > 0 && keep[at - 1] > fd; --at) {
      keep[at] = keep[at - 1];
    }
    keep[at] = fd;
  };
  insert(context.sync.get());
  insert(context.exec_fifo.get());
  insert(context.exec_result.get());
  insert(context.container);
  for (const sys::UniqueFd& slot : context.slots) {
    insert(slot.get());
  }
  unsigned from = 3 + context.plan.header.preserve_fds;
  for (size_t i = 0; i < count; ++i) {
    const auto fd = static_cast<unsigned>(keep[i]);
    if (fd > from) {
      TSRUNC_TRY(sys::close_range(from, fd - 1, 0));
    }
    from = fd >= from ? fd + 1 : from;
  }
  return sys::close_range(from, ~0U, 0);
}

// Whether tsrunc was gone before its death would have been a signal: unix(7), its end of the socket is
// closed.
bool is_alone(const InitContext& context) noexcept {
  pollfd peer{context.sync.get(), 0, 0};
  return ::poll(&peer, 1, 0) > 0;
}

}  // namespace

void init_main(InitContext& context) noexcept {
  trace.enter_init();
  const Failure unreset = sys::reset_signals(context.signals);
  sys::survive_broken_pipes();
  if (const Failure failure = unreset ? unreset : close_others(context); failure) {
    give_up(context, List::kInit, kNoOp, failure);
  }
  // Until committed, init ends with tsrunc: nothing must be left of a create that was killed.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
    give_up(context, List::kInit, kNoOp, fail("prctl"));
  }
  if (is_alone(context)) {
    ::_exit(1);
  }
  // Modes of what is made in the root are exactly those of the plan; the caller's mask comes back before the
  // program.
  context.callers_umask = ::umask(0);
  run_list(context, List::kInit);
  run_list(context, List::kInitStart);
  ::_exit(1);
}

}  // namespace tsrunc::engine
