#include "launcher/warm.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/trace.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/handoff.h"
#include "launcher/leave_planner.h"
#include "launcher/node.h"
#include "launcher/planned.h"
#include "launcher/planner_call.h"
#include "launcher/planner_client.h"
#include "launcher/planner_request.h"
#include "launcher/sealed.h"
#include "launcher/trace_file.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int kFailed = 1;
// A plan takes about one; the other way, a start of node, fifty, and on a busy host as much more as the
// planner.
constexpr int64_t kAutoMilliseconds = 100;
constexpr int64_t kOnMilliseconds = 10000;
// One question has all; the second reply must be the last.
constexpr int kMostReplies = 3;

// Everything of a warm call that the exchange leaves behind.
struct Exchange {
  bool cold = false;  // for node
  PlannerReply reply;
  sys::UniqueFd program;  // the sealed copy
};

[[nodiscard]] Failure exchange(const char* root, int64_t milliseconds, const sys::Array<char>& request,
                               Exchange& out) {
  const engine::Span span("planner", "ask the planner");
  PlannerClient client(milliseconds);
  TSRUNC_TRY(client.connect(root));
  TSRUNC_TRY(client.send(request.data(), request.size()));
  // While the planner plans.
  auto program = sealed_executable("/proc/self/exe");
  if (!program.ok()) {
    return program.failure();
  }
  out.program = std::move(*program);
  sys::Array<char> answers;
  for (int replies = 0; replies < kMostReplies; ++replies) {
    TSRUNC_TRY(client.receive(out.reply));
    if (out.reply.kind != ReplyKind::kAsk) {
      out.cold = out.reply.kind == ReplyKind::kCold;
      return out.reply.kind == ReplyKind::kStale
                 ? sys::fail(ESTALE, "recv", "the planner's socket",
                             "the planner was of an installation that has changed since")
                 : kOk;
    }
    if (!compose_answers(out.reply.part(Part::kBody), out.reply.size(Part::kBody), answers)) {
      out.cold = true;
      return kOk;
    }
    TSRUNC_TRY(client.send(answers.data(), answers.size()));
  }
  return sys::fail(EBADMSG, "recv", "the planner's socket", "the planner asks without end");
}

// Lines of warnings, as node would have written them. False: they cannot be, which node says in its words.
[[nodiscard]] bool write_lines(const PlannerReply& reply) {
  if (reply.size(Part::kLog) > 0) {
    const size_t length = reply.size(Part::kLogFile);
    char path[4096];
    if (length >= sizeof path) {
      return false;
    }
    std::memcpy(path, reply.part(Part::kLogFile), length);
    path[length] = 0;
    const sys::UniqueFd file(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file.valid() ||
        sys::write_all(file.get(), reply.part(Part::kLog), reply.size(Part::kLog), nullptr)) {
      return false;
    }
  }
  // A caller that closed its stderr has nobody left to be told.
  (void)sys::write_all(STDERR_FILENO, reply.part(Part::kStderr), reply.size(Part::kStderr), nullptr);
  return true;
}

// As the addon does it (addon/hand_off.h), in a process that was never another one. Returns if it fails.
void become_planned(int argc, char** argv, const Exchange& exchange) {
  const PlannerReply& reply = exchange.reply;
  const auto plan = sealed_bytes("tsrunc-plan", reply.part(Part::kBody), reply.size(Part::kBody));
  if (!plan.ok() || !write_lines(reply) || ::fcntl(plan->get(), F_SETFD, 0) != 0) {
    return;
  }
  char variable[64];
  sys::Text(variable).add(kPlanVariable).add("=").add(static_cast<uint64_t>(plan->get())).add(":0");
  sys::Array<char*> environment;
  add_environment(environment);
  environment.push(variable);
  char trace[96];
  if (hand_trace_on(trace, sizeof trace)) {
    environment.push(trace);
  }
  environment.push(nullptr);
  sys::Array<char*> words;
  char name[] = "tsrunc";
  words.push(name);
  words.append(argv + 1, static_cast<size_t>(argc - 1));
  words.push(nullptr);
  (void)::execveat(exchange.program.get(), "", words.data(), environment.data(), AT_EMPTY_PATH);
}

[[nodiscard]] bool has_socket(const char* root) {
  sys::Array<char> path;
  path.append(root, std::strlen(root));
  path.push('/');
  path.append(kPlannerSocket, sizeof kPlannerSocket);
  return ::access(path.data(), F_OK) == 0;
}

[[nodiscard]] int refuse(const PlannerCall& call, const char* text) {
  Logger log(call.verb);
  const int failed = call.container == nullptr ? kFailed : kExecFailed;
  if (const Failure failure = log.open(call.log); failure) {
    log.error(Sentence("open the log", failure).text);
    return failed;
  }
  log.error(text);
  (void)finish_trace();
  return failed;
}

[[nodiscard]] int refuse(const PlannerCall& call, const char* root, const Failure& failure) {
  char what[4352];
  sys::Text(what).add("the planner of ").add(root).add(" (--planner on; `tsrunc planner` starts one)");
  return refuse(call, Sentence(what, failure).text);
}

}  // namespace

int run_warm(int argc, char** argv) {
  PlannerCall call;
  if (!parse_planner_call(argc, argv, call)) {
    return kNotPlanned;
  }
  if (call.wrong_mode) {
    return refuse(call, "invalid value of the variable TSRUNC_PLANNER: one of off, auto, on");
  }
  if (call.mode == PlannerMode::kOff) {
    return kNotPlanned;
  }
  sys::Array<char> root;
  if (call.root != nullptr) {
    root.append(call.root, std::strlen(call.root));
  } else {
    add_default_root(root);
  }
  root.push(0);
  const bool on = call.mode == PlannerMode::kOn;
  if (!on && !has_socket(root.data())) {
    leave_planner(root.data(), false);
    return kNotPlanned;
  }
  sys::Array<char> request;
  Exchange result;
  if (!compose_request(argc, argv, call, root.data(), request)) {
    return kNotPlanned;
  }
  // Behind the record of the caller, which is to have no descriptor that the caller has not.
  if (call.trace != nullptr && open_trace(call.trace, call.verb)) {
    return kNotPlanned;  // node says why
  }
  const Failure failure = exchange(root.data(), on ? kOnMilliseconds : kAutoMilliseconds, request, result);
  if (failure && on) {
    return refuse(call, root.data(), failure);
  }
  if (failure) {
    // connect(2): nobody listens there any more. ESTALE: the one that listens ends.
    if (failure.code == ECONNREFUSED || failure.code == ENOENT || failure.code == ESTALE) {
      leave_planner(root.data(), failure.code == ESTALE);
    }
    return kNotPlanned;
  }
  if (!result.cold) {
    become_planned(argc, argv, result);
  }
  return kNotPlanned;
}

}  // namespace tsrunc::launcher
