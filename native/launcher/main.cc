// The executable `tsrunc`: what users and engines start. The ways from here:
//   start, state, kill, delete, pause, resume, ps, events, list, gc   run what create saved, at once; version
//   an order in _TSRUNC_MONITOR        --monitor: what is left of a call once its container is made
//   a plan in _TSRUNC_PLAN             node, which was this process before, has planned: run it
//   the name containerd-shim-tsrunc-v2 containerd's shim (shim/shim.h)
//   create, run, exec and update, where a planner answers    its plan (launcher/warm.h)
//   anything else                      this process becomes node
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "launcher/arguments.h"
#include "launcher/asked.h"
#include "launcher/describe.h"
#include "launcher/handoff.h"
#include "launcher/leave.h"
#include "launcher/monitor.h"
#include "launcher/monitor_order.h"
#include "launcher/node.h"
#include "launcher/planned.h"
#include "launcher/trace_file.h"
#include "launcher/verbs.h"
#include "launcher/warm.h"
#include "shim/mounts.h"
#include "shim/shim.h"

namespace tsrunc::launcher {
namespace {

// A descriptor of ours that got the number of a closed standard stream would be the container's standard
// stream.
[[nodiscard]] bool fill_standard_streams() noexcept {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", O_RDWR) != fd) {
      return false;
    }
  }
  return true;
}

// Takes NAME out of the environment and returns its value, or nullptr.
[[nodiscard]] const char* take_variable(const char* name) noexcept {
  const size_t length = std::strlen(name);
  const char* value = nullptr;
  char** to = environ;
  for (char** from = environ; *from != nullptr; ++from) {
    if (std::strncmp(*from, name, length) == 0 && (*from)[length] == '=') {
      value = *from + length + 1;
    } else {
      *to++ = *from;
    }
  }
  *to = nullptr;
  return value;
}

[[nodiscard]] int act(const Arguments& arguments, Logger& log) {
  switch (arguments.verb) {
    case Verb::kStart:
      return run_start(arguments, log);
    case Verb::kState:
      return run_state(arguments, log);
    case Verb::kKill:
      return run_kill(arguments, log);
    case Verb::kDelete:
      return run_delete(arguments, log);
    case Verb::kPause:
      return run_pause(arguments, log);
    case Verb::kResume:
      return run_resume(arguments, log);
    case Verb::kPs:
      return run_ps(arguments, log);
    case Verb::kEvents:
      return run_events(arguments, log);
    case Verb::kList:
      return run_list(arguments, log);
    case Verb::kGc:
      return run_gc(arguments, log);
    case Verb::kAttach:
      return run_attach(arguments, log);
    case Verb::kWait:
      return run_wait(arguments, log);
    case Verb::kResize:
      return run_resize(arguments, log);
    case Verb::kLogs:
      return run_logs(arguments, log);
    case Verb::kVersion:
      return run_version(log);
  }
  return 1;
}

// `trace`: text of _TSRUNC_TRACE where node gave the call back, or nullptr.
[[nodiscard]] int run_verb(const Arguments& arguments, const char* trace) {
  const char* name = verb_name(arguments.verb);
  Logger log(name);
  if (arguments.version) {
    return run_version(log);
  }
  if (const sys::Failure failure = log.open(arguments.log); failure) {
    log.error(Sentence("open the log", failure).text);
    return 1;
  }
  if (trace != nullptr) {
    adopt_trace(trace);
    name_traced_verb(name);
  } else if (arguments.trace != nullptr) {
    if (const sys::Failure failure = open_trace(arguments.trace, name); failure) {
      log.error(Sentence("open the file of --trace", failure).text);
      return 1;
    }
  }
  const int code = act(arguments, log);
  if (const sys::Failure failure = finish_trace(); failure) {
    log.warn(Sentence("write the trace", failure).text);
  }
  return code;
}

[[nodiscard]] int run(int argc, char** argv) {
  if (!fill_standard_streams()) {
    Logger("").error(Sentence("open the standard streams", sys::fail("open", "/dev/null")).text);
    return 1;
  }
  if (const char* words = take_variable(kMonitorVariable); words != nullptr) {
    notice_children();
    return run_monitor(words);
  }
  if (argc > 0 && shim::is_shim(argv[0]) && shim::is_mounted_call(argc, argv)) {
    if (const int code = shim::mount_for_call(argc, argv); code != 0) {
      return code;
    }
  } else if (argc > 0 && shim::is_shim(argv[0])) {
    notice_children();
    return shim::run_shim(argc, argv);
  }
  const char* trace = take_variable(kTraceVariable);
  if (const char* words = take_variable(kPlanVariable); words != nullptr) {
    if (trace != nullptr) {
      adopt_trace(trace);
    }
    const int code = run_planned(words);
    (void)finish_trace();  // of a call that has failed before it was one of a verb
    return code;
  }
  if (const char* words = take_variable(kAskedVariable); words != nullptr) {
    if (trace != nullptr) {
      adopt_trace(trace);
    }
    const int code = run_asked(argc, argv, words);
    (void)finish_trace();
    return code;
  }
  note_beginning(argc, argv);
  if (const char* words = take_variable(kColdVariable); words != nullptr) {
    return run_cold(argc, argv, words);
  }
  Arguments arguments;
  if (!parse_arguments(argc, argv, arguments)) {
    // Returns where the call is node's after all.
    sys::Array<char> considered;
    if (const int code = run_warm(argc, argv, considered); code != kNotPlanned) {
      return code;
    }
    abandon_trace();
    return run_node(argc, argv, considered);
  }
  notice_children();
  return run_verb(arguments, trace);
}

}  // namespace
}  // namespace tsrunc::launcher

int main(int argc, char** argv) {
  tsrunc::launcher::leave(tsrunc::launcher::run(argc, argv));
}
