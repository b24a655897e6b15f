// The end of a container: what delete does, and what undoes a create, start or run that failed.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "engine/engine.h"
#include "engine/host/cgroup_processes.h"
#include "engine/host/undo_journal.h"
#include "engine/host_run.h"
#include "engine/init_process.h"
#include "engine/journal.h"
#include "engine/trace.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using wire::OpKind;

constexpr int kKillMilliseconds = 10000;
constexpr int kLookMilliseconds = 1000;  // then what keeps it is looked for

// The first failure is the one that is told; all of them keep the directory.
class Failures {
 public:
  explicit Failures(FailureRecord& why) noexcept : why_(why) {}
  void note(uint32_t op, const Failure& failure) noexcept {
    if (failure && !any_) {
      record(why_, wire::List::kDelete, op, failure);
    }
    any_ = any_ || failure.code != 0;
  }
  [[nodiscard]] bool any() const noexcept { return any_; }

 private:
  FailureRecord& why_;
  bool any_ = false;
};

// The freezer of v1 as the journal has it, where there is no plan that names it.
void thaw_noted(const Journal& journal) {
  for (size_t i = 0; i < journal.size(); ++i) {
    char file[4096 + 32];
    if (std::strcmp(journal[i].kind, "cgroup") == 0 &&
        !sys::Text(file).add(journal[i].path).add("/freezer.state").cut()) {
      (void)sys::write_file(AT_FDCWD, file, "THAWED", 6);  // ENOENT: another controller's, or gone already
    }
  }
}

// A v1 freezer keeps even SIGKILL waiting; the signal goes first, so that nothing of the container runs
// again.
void thaw(const HostContext& context, const Journal& journal) {
  (void)thaw_freezer(context.plan.header);  // what holds its processes still is told later
  if (context.plan.header.frozen_file.empty()) {
    thaw_noted(journal);
  }
}

[[nodiscard]] Failure kill_init(HostContext& context, const Journal& journal) {
  const Span span("undo", "end init");
  if (context.init.pid == 0) {
    SavedState saved;
    const Failure failure = context.state.load_state(saved);
    if (failure.code == EBADMSG && saved.init.pid == 0) {
      context.log.warn("the saved state is damaged: only processes in the container's cgroups can be ended");
      uint32_t sent = 0;
      (void)signal_cgroups(context.plan.header.cgroup_paths, SIGKILL,
                           sent);  // what it cannot reach is told later
      thaw(context, journal);
      return kOk;
    }
    // What the copy that is whole says holds.
    if (failure && failure.code != EBADMSG) {
      // Without a state there is no init either: until its state is saved, init ends together with create.
      return failure.code == ENODATA ? kOk : failure;
    }
    context.init = saved.init;
  }
  if (!context.init_pidfd.valid()) {
    auto pidfd = open_process(context.init);
    if (!pidfd.ok()) {
      return pidfd.failure().code == ESRCH ? kOk : pidfd.failure();
    }
    context.init_pidfd = std::move(*pidfd);
  }
  // pidfd_send_signal(2) ESRCH: it has ended and was waited for, as after a run in the foreground.
  const bool gone = sys::pidfd_send_signal_raw(context.init_pidfd.get(), SIGKILL) != 0 && errno == ESRCH;
  thaw(context, journal);
  if (gone) {
    return kOk;
  }
  const auto end = [&](int milliseconds) {
    return end_process(context.init, context.init_pidfd, milliseconds, context.detail, sizeof context.detail);
  };
  const Failure failure = end(kLookMilliseconds);
  if (failure.code != ETIMEDOUT) {
    return failure;
  }
  return is_held_by_freezer(context.plan.header) ? held_by_freezer(context.plan.header)
                                                 : end(kKillMilliseconds - kLookMilliseconds);
}

// What a damaged line asked for is nobody's to guess.
[[nodiscard]] Failure check_journal(HostContext& context, const Journal& journal) {
  const Journal::Damage& damage = journal.damage();
  if (!damage.any) {
    return kOk;
  }
  sys::Text text(context.detail);
  text.add("the journal (the file \"journal\") is damaged at byte ").add(uint64_t{damage.at}).add(", line ");
  text.add(uint64_t{damage.line});
  if (context.refuses_damage) {
    return sys::fail(EBADMSG, "read", context.state.path(), context.detail);
  }
  text.add(": but for the cgroups, what was noted there is not undone");
  context.log.warn(context.detail);
  return kOk;
}

// Everything of the list but hooks. True if undoJournal was among it.
[[nodiscard]] bool run_destruction(HostContext& context, const wire::OpList& list, Failures& failures) {
  bool undone = false;
  for (uint32_t i = 0; i < list.count; ++i) {
    if (list.items[i].kind != OpKind::kRunHook) {
      failures.note(i, run_op(context, list.items[i]));
      undone = undone || list.items[i].kind == OpKind::kUndoJournal;
    }
  }
  return undone;
}

// Ends init and undoes what was made of the container outside of it.
[[nodiscard]] bool undo(HostContext& context, const Journal& journal, FailureRecord& why) {
  Failures failures(why);
  failures.note(kNoOp, kill_init(context, journal));
  if (failures.any()) {
    // As long as init lives nothing of it can be taken away; the directory stays, so that delete can be
    // repeated.
    return false;
  }
  if (!run_destruction(context, context.plan.list(wire::List::kDelete), failures)) {
    failures.note(kNoOp, undo_journal(context));
  }
  return !failures.any();
}

[[nodiscard]] bool remove_directory(HostContext& context, FailureRecord& why) {
  const Span span("state", "remove the state directory");
  Failures failures(why);
  failures.note(kNoOp, context.state.remove());
  return !failures.any();
}

// Each step of cleaning up can be repeated. What failed for a moment (want of memory or descriptors) is not
// to leave a container behind.
template <typename Step>
[[nodiscard]] bool twice(Step step) {
  if (step()) {
    return true;
  }
  return step();
}

}  // namespace

bool destroy(HostContext& context, FailureRecord& why) {
  if (context.state.fd() < 0) {
    return true;
  }
  const bool created =
      ::faccessat(context.state.fd(), "state", F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
  Journal& journal = context.journal;
  const auto load = [&] {
    Failures failures(why);
    failures.note(kNoOp, journal.load(context.state));
    context.journal_read = !failures.any();
    return context.journal_read;
  };
  if (!twice(load)) {
    return false;
  }
  if (const Failure failure = check_journal(context, journal); failure) {
    record(why, wire::List::kDelete, kNoOp, failure);
    return false;
  }
  // What has waited in vain does not wait again.
  if (!undo(context, journal, why) &&
      (why.code == ETIMEDOUT || why.code == EBUSY || !undo(context, journal, why))) {
    return false;
  }
  const wire::OpList& list = context.plan.list(wire::List::kDelete);
  // config.md "Poststop": after the container is deleted; their failures are warnings, which runHook gives
  // itself. A create that failed before its first hook has none to answer to.
  if (created || journal.has("hooks")) {
    Failures failures(why);
    for (uint32_t i = 0; i < list.count; ++i) {
      if (list.items[i].kind == OpKind::kRunHook) {
        failures.note(i, run_op(context, list.items[i]));
      }
    }
  }
  return twice([&] { return remove_directory(context, why); });
}

void take_back(HostContext& context) {
  FailureRecord second;
  if (destroy(context, second)) {
    return;
  }
  char text[sizeof second.detail + sizeof second.path + 64];
  sys::Text(text).add("cleaning up: ").add(second.call).add(" ").add(second.path).add(" ").add(second.detail);
  context.log.warn(text);
}

}  // namespace tsrunc::engine
