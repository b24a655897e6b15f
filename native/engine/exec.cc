// exec: one more process in a container that exists.
#include <sys/wait.h>
#include <unistd.h>

#include "engine/await.h"
#include "engine/engine.h"
#include "engine/host/pid_file.h"
#include "engine/host_run.h"
#include "engine/init_process.h"
#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;

constexpr int kKillMilliseconds = 2000;

// From here on the process lives without tsrunc, and executes its program.
[[nodiscard]] Failure release(HostContext& context) {
  sys::survive_broken_pipes();  // of a process that is killed meanwhile
  const Span span("wait", "release the process");
  TSRUNC_TRY(send_step(context.sync.get(), wire::Step::kCommitted));
  // Before the answer: otherwise it would wait once more. One that cannot go on reads nothing any more.
  const char byte = 1;
  const Failure told = sys::write_once(context.target.go.get(), &byte, 1, "go");
  TSRUNC_TRY(await_readable(context, context.sync.get(), context.agent));
  Message message;
  const Failure failure = receive(context.sync.get(), message, nullptr);
  context.sync.reset();
  if (!failure && message.type == MessageType::kFailure) {
    context.init_failure = message.record;
    context.init_failed = true;
    return sys::fail(message.record.code, "init", nullptr, nullptr);
  }
  if (failure && failure.code != ECONNRESET) {
    return failure;
  }
  return told.code == EPIPE
             ? sys::fail(ECHILD, "exec", nullptr, "the process ended before it could execute the program")
             : told;
}

void remove_pid_files(const HostContext& context) {
  const wire::OpList& ops = context.plan.list(wire::List::kCreate);
  char number[24];
  sys::Text(number).add(static_cast<uint64_t>(context.init.pid));
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind != wire::OpKind::kWritePidFile) {
      continue;
    }
    if (remove_pid_file(ops.items[i].as<wire::WritePidFile>().path.data, number)) {
      context.log.warn("the pid file could not be removed again");
    }
  }
}

// Everything that was made outside of the container, and the process.
void undo(HostContext& context) {
  context.sync.reset();
  context.target.go.reset();
  if (context.init.pid == 0) {
    return;
  }
  char detail[256] = {};
  if (end_process(context.init, context.init_pidfd, kKillMilliseconds, detail, sizeof detail)) {
    context.log.warn(detail);
  }
  remove_pid_files(context);
}

}  // namespace

bool exec(HostContext& context, FailureRecord& why) {
  bool ok = run_list(context, wire::List::kCreate, why);
  if (ok) {
    if (const Failure failure = release(context); failure) {
      record(why, wire::List::kCreate, kNoOp, failure);
      why = context.init_failed ? context.init_failure : why;
      ok = false;
    }
  }
  ok = ok && await_exec(context, context.target.result.get(), why);
  context.target.result.reset();
  context.target.go.reset();
  if (!ok) {
    undo(context);
  }
  return ok;
}

}  // namespace tsrunc::engine
