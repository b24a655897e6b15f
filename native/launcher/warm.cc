#include "launcher/warm.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/trace.h"
#include "launcher/asked.h"
#include "launcher/become.h"
#include "launcher/become_in_place.h"
#include "launcher/handoff.h"
#include "launcher/kept_call.h"
#include "launcher/leave_planner.h"
#include "launcher/node.h"
#include "launcher/planner_call.h"
#include "launcher/planner_client.h"
#include "launcher/planner_refusal.h"
#include "launcher/planner_request.h"
#include "launcher/sealed.h"
#include "launcher/standard_input.h"
#include "launcher/trace_file.h"
#include "sys/result.h"
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

// Becomes the sealed copy by execve(2), and waits for the answer (asked.h). Returns if it fails.
[[nodiscard]] Failure become_asked(int argc, char** argv, const PlannerClient& client, int program,
                                   const sys::UniqueFd& self) {
  if (::fcntl(self.get(), F_SETFD, 0) != 0 || ::fcntl(client.fd(), F_SETFD, 0) != 0) {
    return sys::fail("fcntl");
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

// Returns the exit code, or what has failed before anything was done.
[[nodiscard]] sys::Result<int> ask(PlannerClient client, const PlannerCall& call,
                                   const sys::Array<char>& request, int argc, char** argv) {
  engine::Span span("planner", "ask the planner");
  if (const Failure failure = client.send(request.data(), request.size()); failure) {
    return failure;
  }
  sys::UniqueFd self(::open(kSelf, O_PATH | O_CLOEXEC));
  if (!self.valid()) {
    return sys::fail("open", kSelf);
  }
  if (call.kind == PlanKind::kLimits) {
    // Nothing of the container ever sees a process that stays outside (CVE-2019-5736).
    span.end();
    return await_plan(argc, argv, call, std::move(client), std::move(self));
  }
  sys::UniqueFd copy;
  if (const Failure failure = client.receive_greeting(kGreetingMilliseconds, copy);
      failure && failure.code != ETIMEDOUT) {
    return failure;
  }
  // While the planner plans.
  if (!copy.valid() || !is_overlaid_copy(copy.get(), kSelf)) {
    auto own = sealed_executable(kSelf);
    if (!own.ok()) {
      return own.failure();
    }
    copy = std::move(*own);
  }
  if (become_in_place(copy.get())) {
    copy.reset();
    span.end();
    return await_plan(argc, argv, call, std::move(client), std::move(self));
  }
  span.end();
  return become_asked(argc, argv, client, copy.get(), self);
}

[[nodiscard]] bool has_socket(const char* root) {
  sys::Array<char> path;
  path.append(root, std::strlen(root));
  path.push('/');
  path.append(kPlannerSocket, sizeof kPlannerSocket);
  return ::access(path.data(), F_OK) == 0;
}

}  // namespace

int run_warm(int argc, char** argv, sys::Array<char>& considered) {
  PlannerCall call;
  if (!parse_planner_call(argc, argv, call)) {
    return kNotPlanned;
  }
  if (call.wrong_mode) {
    return refuse(call, "invalid value of the variable TSRUNC_PLANNER: one of off, auto, wait, on");
  }
  sys::Array<char> root;
  add_root(call, root);
  if (call.mode == PlannerMode::kOff) {
    return run_kept(argc, argv, call, root.data(), considered);
  }
  const bool on = call.mode == PlannerMode::kOn;
  const bool leaves = call.mode == PlannerMode::kAuto;
  if (!on && !has_socket(root.data())) {
    if (leaves) {
      leave_planner(root.data(), false);
    }
    return run_kept(argc, argv, call, root.data(), considered);
  }
  sys::Array<char> input;
  if (call.reads_input && (!take_input(input) || input.size() > kMostConfigBytes)) {
    return kNotPlanned;
  }
  // A planner that sleeps takes as long to wake as the request to be composed.
  PlannerClient client(leaves ? kAutoMilliseconds : kOnMilliseconds);
  const Failure alone = client.connect(root.data());
  sys::Array<char> request;
  if (!compose_request(argc, argv, call, {root.data(), client.fd(), input}, request)) {
    return kNotPlanned;
  }
  // Behind the record of the caller, which is to have no descriptor that the caller has not.
  if (call.trace != nullptr && open_trace(call.trace, call.verb)) {
    return kNotPlanned;  // node says why
  }
  const auto code = alone ? sys::Result<int>(alone) : ask(std::move(client), call, request, argc, argv);
  if (code.ok()) {
    return *code;
  }
  const Failure failure = code.failure();
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
  return run_node(argc, argv, {});
}

}  // namespace tsrunc::launcher
