#include "launcher/warm.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/trace.h"
#include "launcher/asked.h"
#include "launcher/become.h"
#include "launcher/handoff.h"
#include "launcher/leave_planner.h"
#include "launcher/node.h"
#include "launcher/planner_call.h"
#include "launcher/planner_client.h"
#include "launcher/planner_refusal.h"
#include "launcher/planner_request.h"
#include "launcher/sealed.h"
#include "launcher/trace_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;

constexpr char kSelf[] = "/proc/self/exe";

// A plan takes about one; the other way, a start of node, fifty, and on a busy host as much more as the
// planner.
constexpr int64_t kAutoMilliseconds = 100;
constexpr int64_t kOnMilliseconds = 10000;
// How long a planner's copy of the executable is waited for. An own one costs about one, most of it where the
// kernel lets go of its mount (synchronize_rcu_expedited): of the planner's it never does.
constexpr int kGreetingMilliseconds = 5;

// Becomes the sealed copy, which waits for the answer (asked.h). Returns if it fails.
[[nodiscard]] Failure become_asked(int argc, char** argv, const PlannerClient& client, int program) {
  const sys::UniqueFd self(::open(kSelf, O_PATH | O_CLOEXEC));
  if (!self.valid() || ::fcntl(self.get(), F_SETFD, 0) != 0 || ::fcntl(client.fd(), F_SETFD, 0) != 0) {
    return sys::fail("open", kSelf);
  }
  char variable[96];
  sys::Text(variable)
      .add(kAskedVariable)
      .add("=")
      .add(static_cast<uint64_t>(client.fd()))
      .add(":")
      .add(static_cast<uint64_t>(self.get()))
      .add(":")
      .add(static_cast<uint64_t>(client.left()))
      .add(client.greeted() ? ":1" : ":0");
  become(program, argc, argv, variable, Traced::kYes);
  return sys::fail("execveat", "the sealed copy of tsrunc");
}

[[nodiscard]] Failure ask(const char* root, int64_t milliseconds, const sys::Array<char>& request, int argc,
                          char** argv) {
  engine::Span span("planner", "ask the planner");
  PlannerClient client(milliseconds);
  TSRUNC_TRY(client.connect(root));
  TSRUNC_TRY(client.send(request.data(), request.size()));
  sys::UniqueFd offered;
  if (const Failure failure = client.receive_greeting(kGreetingMilliseconds, offered);
      failure && failure.code != ETIMEDOUT) {
    return failure;
  }
  // While the planner plans.
  if (offered.valid() && is_overlaid_copy(offered.get(), kSelf)) {
    span.end();
    return become_asked(argc, argv, client, offered.get());
  }
  const auto program = sealed_executable(kSelf);
  span.end();
  return program.ok() ? become_asked(argc, argv, client, program->get()) : program.failure();
}

[[nodiscard]] bool has_socket(const char* root) {
  sys::Array<char> path;
  path.append(root, std::strlen(root));
  path.push('/');
  path.append(kPlannerSocket, sizeof kPlannerSocket);
  return ::access(path.data(), F_OK) == 0;
}

}  // namespace

int run_warm(int argc, char** argv) {
  PlannerCall call;
  if (!parse_planner_call(argc, argv, call)) {
    return kNotPlanned;
  }
  if (call.wrong_mode) {
    return refuse(call, "invalid value of the variable TSRUNC_PLANNER: one of off, auto, wait, on");
  }
  if (call.mode == PlannerMode::kOff) {
    return kNotPlanned;
  }
  sys::Array<char> root;
  add_root(call, root);
  const bool on = call.mode == PlannerMode::kOn;
  const bool leaves = call.mode == PlannerMode::kAuto;
  if (!on && !has_socket(root.data())) {
    if (leaves) {
      leave_planner(root.data(), false);
    }
    return kNotPlanned;
  }
  sys::Array<char> request;
  if (!compose_request(argc, argv, call, root.data(), request)) {
    return kNotPlanned;
  }
  // Behind the record of the caller, which is to have no descriptor that the caller has not.
  if (call.trace != nullptr && open_trace(call.trace, call.verb)) {
    return kNotPlanned;  // node says why
  }
  const Failure failure = ask(root.data(), leaves ? kAutoMilliseconds : kOnMilliseconds, request, argc, argv);
  if (on) {
    return refuse(call, root.data(), failure);
  }
  // connect(2): nobody listens there any more.
  if (leaves && (failure.code == ECONNREFUSED || failure.code == ENOENT)) {
    leave_planner(root.data(), false);
  }
  return kNotPlanned;
}

int run_cold(int argc, char** argv, const char* words) {
  PlannerCall call;
  if (std::strcmp(words, kStale) == 0 && parse_planner_call(argc, argv, call) &&
      call.mode == PlannerMode::kAuto) {
    sys::Array<char> root;
    add_root(call, root);
    leave_planner(root.data(), true);
  }
  return run_node(argc, argv);
}

}  // namespace tsrunc::launcher
