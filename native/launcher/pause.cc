#include <unistd.h>

#include <cstring>

#include "engine/host/cgroup_freeze.h"
#include "engine/host/cgroup_tree.h"
#include "engine/trace.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/verbs.h"

namespace tsrunc::launcher {
namespace {

using engine::Status;
using sys::Failure;
using sys::kOk;

constexpr int kLockMilliseconds = 10000;
// A process in an uninterruptible sleep, of a disk that is slow, comes to a stop only then.
constexpr int kPauseMilliseconds = 10000;

// Why the container cannot be paused or resumed, in runc's words, or nullptr.
[[nodiscard]] const char* refusal(Status status, bool pause) noexcept {
  if (!pause) {
    return status == Status::kPaused ? nullptr : "container not paused";
  }
  switch (status) {
    case Status::kRunning:
    case Status::kCreated:
      return nullptr;
    case Status::kPaused:
      return "container is paused already";
    default:
      return "container not running";
  }
}

// The cgroup whose file says whether the container is paused.
[[nodiscard]] Failure open_freezer(const wire::Header& header, sys::UniqueFd& out) {
  const wire::Str& file = header.frozen_file;
  if (file.empty()) {
    return sys::fail(EOPNOTSUPP, "open", nullptr, "the container has no cgroup with a freezer");
  }
  sys::Array<char> path;
  path.append(file.data, file.size);
  path.push(0);
  *std::strrchr(path.data(), '/') = 0;
  auto dir = engine::open_cgroup(path.data());
  if (!dir.ok()) {
    return sys::fail(dir.failure().code, "open", file.data, nullptr);
  }
  out = std::move(*dir);
  return kOk;
}

// Who is frozen cannot thaw anybody.
[[nodiscard]] Failure check_outside(int dir) {
  sys::Array<pid_t> pids;
  TSRUNC_TRY(engine::read_all_pids(dir, pids));
  for (const pid_t pid : pids) {
    if (pid == ::getpid()) {
      return sys::fail(EDEADLK, "write", nullptr, "tsrunc itself runs in the cgroup of the container");
    }
  }
  return kOk;
}

[[nodiscard]] Failure change(const wire::Header& header, bool pause) {
  const engine::Span span("cgroup", pause ? "freeze the processes" : "thaw the processes");
  sys::UniqueFd dir;
  TSRUNC_TRY(open_freezer(header, dir));
  if (!pause) {
    return engine::thaw_cgroup(dir.get());
  }
  TSRUNC_TRY(check_outside(dir.get()));
  return engine::freeze_cgroup(dir.get(), kPauseMilliseconds);
}

[[nodiscard]] int run_change(const Arguments& arguments, Logger& log, bool pause) {
  const char* id = arguments.positionals[0];
  Container container;
  Failure failure = container.open(arguments.root, id, log);
  if (!failure) {
    failure = container.check_owner();
  }
  if (!failure) {
    failure = container.state.lock(kLockMilliseconds);
  }
  if (!failure) {
    failure = container.refresh();
  }
  if (failure) {
    return report_missing(log, id, failure);
  }
  if (const char* reason = refusal(container.status, pause); reason != nullptr) {
    log.error(reason);
    return 1;
  }
  failure = change(container.plan.header, pause);
  if (failure) {
    log.error(Sentence(pause ? "freeze the processes" : "thaw the processes", failure).text);
    return 1;
  }
  return 0;
}

}  // namespace

int run_pause(const Arguments& arguments, Logger& log) {
  return run_change(arguments, log, true);
}

int run_resume(const Arguments& arguments, Logger& log) {
  return run_change(arguments, log, false);
}

}  // namespace tsrunc::launcher
