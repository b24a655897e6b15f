#include <signal.h>

#include "engine/host/cgroup_processes.h"
#include "engine/init_process.h"
#include "engine/trace.h"
#include "launcher/container.h"
#include "launcher/container_names.h"
#include "launcher/describe.h"
#include "launcher/json_text.h"
#include "launcher/signals.h"
#include "launcher/verbs.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr char kNotRunning[] = "container not running";

[[nodiscard]] Failure not_running() noexcept {
  return sys::fail(ESRCH, "kill", nullptr, kNotRunning);
}

// Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst: a frozen task takes no signal.
[[nodiscard]] Failure thaw(const Container& container) noexcept {
  const Failure failure = engine::thaw_freezer(container.plan.header);
  return failure ? sys::fail(failure.code, failure.call, failure.path,
                             "the signal was sent, and waits: the container is frozen and cannot be thawed")
                 : kOk;
}

[[nodiscard]] Failure signal_init(const Container& container, int signal) noexcept {
  const auto pidfd = engine::open_process(container.saved.init);
  if (!pidfd.ok()) {
    return pidfd.failure().code == ESRCH ? not_running() : pidfd.failure();
  }
  if (sys::pidfd_send_signal_raw(pidfd->get(), signal) != 0) {
    return errno == ESRCH ? not_running() : sys::fail("pidfd_send_signal");
  }
  if (signal == SIGKILL) {
    return thaw(container);
  }
  return kOk;
}

// Every process of the container's cgroups; without cgroups init is all that is known.
[[nodiscard]] Failure signal_all(const Container& container, int signal) noexcept {
  uint32_t sent = 0;
  TSRUNC_TRY(engine::signal_cgroups(container.plan.header.cgroup_paths, signal, sent));
  if (sent == 0 && container.status != engine::Status::kStopped) {
    return signal_init(container, signal);
  }
  if (signal == SIGKILL) {
    return thaw(container);
  }
  return kOk;
}

[[nodiscard]] Failure send(const Container& container, int signal, bool all) noexcept {
  const engine::Span span("signal", "send the signal");
  const bool gone = container.status == engine::Status::kStopped || container.saved.init.pid == 0;
  if (all) {
    return signal_all(container, signal);
  }
  if (gone) {
    return not_running();
  }
  // Without a pid namespace of its own nothing else ends the processes that init leaves behind.
  const bool whole = signal == SIGKILL && !container.plan.header.own_pid_namespace;
  TSRUNC_TRY(signal_init(container, signal));
  // Init may have been the only one, and be gone: then there is nobody left to be told.
  uint32_t sent = 0;
  return whole ? engine::signal_cgroups(container.plan.header.cgroup_paths, signal, sent) : kOk;
}

[[nodiscard]] int kill_one(const Arguments& arguments, const char* id, Logger& log) {
  Container container;
  // What another version of tsrunc has planned can be killed all the same, as long as its process is known.
  Failure failure = container.open(arguments.root, id, log, Damage::kTold);
  if (!failure) {
    failure = container.check_owner();
  }
  if (!failure && container.damaged && container.saved.init.pid == 0) {
    failure = container.state.load_state(container.saved);
  }
  if (failure) {
    return report_missing(log, id, failure);
  }
  const char* wanted = arguments.positionals[1];
  const uint32_t usual = container.plan.header.stop_signal;
  const int signal = wanted != nullptr ? parse_signal(wanted)
                     : usual != 0      ? static_cast<int>(usual)
                                       : SIGTERM;
  if (signal < 0) {
    sys::Array<char> message;
    add_text(message, "unknown signal ");
    add_json_string(message, wanted);
    message.push(0);
    log.error(message.data());
    return 1;
  }
  failure = send(container, signal, arguments.all);
  if (!failure) {
    return 0;
  }
  char which[1024];
  sys::Text text(which);
  if (arguments.regex) {
    text.add(id).add(": ");
  }
  log.error(text.add(failure.detail == kNotRunning ? kNotRunning : Sentence("send the signal", failure).text)
                .c_str());
  return 1;
}

}  // namespace

int run_kill(const Arguments& arguments, Logger& log) {
  return arguments.regex ? for_matching(arguments, log, kill_one)
                         : kill_one(arguments, arguments.positionals[0], log);
}

}  // namespace tsrunc::launcher
