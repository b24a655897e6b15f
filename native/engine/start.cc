// start: from created to running.
#include <fcntl.h>
#include <unistd.h>
#include <csignal>

#include "engine/await.h"
#include "engine/engine.h"
#include "engine/host_run.h"
#include "engine/trace.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

// execve(2) gives back what is close-on-exec one file after the other: exec.result may be gone while
// exec.fifo still has its reader, and the container would be called `created` by whoever asks right now.
void await_release(const HostContext& context) noexcept {
  constexpr int kMilliseconds = 1000;
  sys::Patience patience(kMilliseconds);
  while (context.state.open_file("exec.fifo", O_WRONLY | O_NONBLOCK).ok() && !patience.over()) {
    patience.pause();
  }
}

}  // namespace

Failure release_init(HostContext& context, UniqueFd& result) {
  sys::survive_broken_pipes();  // of an init that is killed meanwhile
  const Span span("wait", "release init");
  Result<UniqueFd> reader = context.state.open_file("exec.result", O_RDONLY | O_NONBLOCK);
  if (!reader.ok()) {
    return reader.failure();
  }
  if (::fcntl(reader->get(), F_SETFL, 0) < 0) {
    return fail("fcntl", "exec.result");
  }
  Result<UniqueFd> fifo = context.state.open_file("exec.fifo", O_WRONLY | O_NONBLOCK);
  if (!fifo.ok()) {
    // fifo(7): ENXIO, nobody has it open for reading.
    return fail(fifo.failure().code, "open", "exec.fifo",
                fifo.failure().code == ENXIO ? "init is not waiting to be started" : nullptr);
  }
  const char byte = 1;
  TSRUNC_TRY(sys::write_once(fifo->get(), &byte, 1, "exec.fifo"));
  result = std::move(*reader);
  return kOk;
}

bool start(HostContext& context, FailureRecord& why) {
  UniqueFd result = std::move(context.start_result);
  if (!result.valid()) {
    if (Failure failure = release_init(context, result); failure) {
      record(why, wire::List::kInitStart, kNoOp, failure);
      return false;
    }
  }
  if (!await_exec(context, result.get(), why)) {
    return false;
  }
  await_release(context);
  // runtime.md "Lifecycle" 9: since 1.3 a failing poststart hook ends the container.
  if (!run_list(context, wire::List::kStart, why)) {
    if (context.init_pidfd.valid()) {
      (void)sys::pidfd_send_signal_raw(context.init_pidfd.get(), SIGKILL);
    }
    return false;
  }
  return true;
}

}  // namespace tsrunc::engine
