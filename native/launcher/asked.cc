#include "launcher/asked.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/trace.h"
#include "launcher/become.h"
#include "launcher/called_container.h"
#include "launcher/describe.h"
#include "launcher/handoff.h"
#include "launcher/planned.h"
#include "launcher/planner_answers.h"
#include "launcher/planner_call.h"
#include "launcher/planner_client.h"
#include "launcher/planner_refusal.h"
#include "launcher/planner_request.h"
#include "sys/scan.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

// One question has all; the second reply must be the last.
constexpr int kMostReplies = 3;

constexpr int kFailed = 1;

// What the first half has left.
struct Asked {
  sys::UniqueFd socket;
  sys::UniqueFd executable;  // the caller's file, before it was a sealed copy
  int milliseconds = 0;
  bool greeted = false;
};

[[nodiscard]] bool take(const char* words, Asked& out) {
  int socket = -1;
  int executable = -1;
  int greeted = 0;
  if (!sys::Scan(words)
           .number(socket)
           .word(":")
           .number(executable)
           .word(":")
           .number(out.milliseconds)
           .word(":")
           .number(greeted)
           .complete() ||
      socket <= STDERR_FILENO || executable <= STDERR_FILENO || socket == executable) {
    return false;
  }
  out.greeted = greeted != 0;
  out.socket = sys::UniqueFd(socket);
  out.executable = sys::UniqueFd(executable);
  return true;
}

[[nodiscard]] Failure keep_from_programs(const Asked& asked) noexcept {
  for (const int fd : {asked.socket.get(), asked.executable.get()}) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return sys::fail("fcntl");
    }
  }
  return kOk;
}

// Limits are made of those in force: from before these are looked at until the new ones are written no other
// call may change them. False: the call is node's, which waits for its turn.
[[nodiscard]] bool hold(const PlannerCall& call, sys::UniqueFd& lock) {
  if (call.kind != PlanKind::kLimits || lock.valid()) {
    return true;
  }
  sys::Array<char> root;
  add_root(call, root);
  lock = lock_called(root.data(), call.container);
  return lock.valid();
}

[[nodiscard]] Failure receive(PlannerClient& client, const PlannerCall& call, PlannerReply& out,
                              sys::UniqueFd& lock) {
  const engine::Span span("planner", "wait for the planner");
  sys::Array<char> answers;
  for (int replies = 0; replies < kMostReplies; ++replies) {
    TSRUNC_TRY(client.receive(out));
    if (out.kind != ReplyKind::kAsk) {
      return out.kind == ReplyKind::kStale
                 ? sys::fail(ESTALE, "recv", "the planner's socket",
                             "the planner was of an installation that has changed since")
                 : kOk;
    }
    if (!hold(call, lock) ||
        !compose_answers(out.part(Part::kBody), out.size(Part::kBody), lock.valid(), answers)) {
      out.kind = ReplyKind::kCold;
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

// Returns, with the exit code, only if it fails.
[[nodiscard]] int go_cold(int argc, char** argv, const PlannerCall& call, int executable, const char* how) {
  char variable[64];
  sys::Text(variable).add(kColdVariable).add("=").add(how);
  become(executable, argc, argv, variable, Traced::kNo);
  Logger("").error(Sentence("start node", sys::fail("execveat", "the executable of tsrunc")).text);
  return failed_code(call);
}

}  // namespace

int run_asked(int argc, char** argv, const char* words) {
  Asked asked;
  PlannerCall call;
  if (!take(words, asked) || !parse_planner_call(argc, argv, call)) {
    Logger("").error("take over the planner's answer: _TSRUNC_ASKED is not what tsrunc has written");
    return kFailed;
  }
  if (const Failure failure = keep_from_programs(asked); failure) {
    Logger("").error(Sentence("take over the planner's answer", failure).text);
    return failed_code(call);
  }
  PlannerClient client(std::move(asked.socket), asked.milliseconds, asked.greeted);
  return await_plan(argc, argv, call, std::move(client), std::move(asked.executable));
}

int await_plan(int argc, char** argv, const PlannerCall& call, PlannerClient client,
               sys::UniqueFd executable) {
  PlannerReply reply;
  sys::UniqueFd lock;
  if (const Failure failure = receive(client, call, reply, lock); failure) {
    if (call.mode == PlannerMode::kOn) {
      sys::Array<char> root;
      add_root(call, root);
      return refuse(call, root.data(), failure);
    }
    return go_cold(argc, argv, call, executable.get(), failure.code == ESTALE ? kStale : kCold);
  }
  client.close();
  return run_reply(argc, argv, call, reply, std::move(lock), std::move(executable));
}

int run_reply(int argc, char** argv, const PlannerCall& call, const PlannerReply& reply, sys::UniqueFd lock,
              sys::UniqueFd executable) {
  if (reply.kind != ReplyKind::kPlan || !hold(call, lock) || !write_lines(reply)) {
    return go_cold(argc, argv, call, executable.get(), kCold);
  }
  // The host's file is out of reach before anything of the container is made (CVE-2019-5736).
  executable.reset();
  return run_planned(reply.part(Part::kBody), reply.size(Part::kBody), call.kind, std::move(lock));
}

}  // namespace tsrunc::launcher
