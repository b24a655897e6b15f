#include "engine/host/cgroup_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>

#include "engine/host/cgroup_freeze.h"
#include "engine/host/cgroup_tree.h"
#include "engine/host/pid_list_text.h"
#include "engine/host_context.h"
#include "engine/journal.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// How many descriptors are open at a time.
constexpr size_t kAtOnce = 64;
constexpr int kKillMilliseconds = 10000;
constexpr int kLookMilliseconds = 1000;  // then what keeps them is looked for

[[nodiscard]] bool contains(const sys::Array<pid_t>& pids, pid_t wanted) noexcept {
  for (const pid_t pid : pids) {
    if (pid == wanted) {
      return true;
    }
  }
  return false;
}

// The top of a hierarchy holds the whole machine, never only a container.
[[nodiscard]] bool is_hierarchy_root(int dir) noexcept {
  const bool v2 = ::faccessat(dir, "cgroup.controllers", F_OK, 0) == 0;
  return v2 ? ::faccessat(dir, "cgroup.type", F_OK, 0) != 0 : ::faccessat(dir, "release_agent", F_OK, 0) == 0;
}

// Opens one of the container's cgroups. Invalid: it is gone, or it is the top of its hierarchy.
[[nodiscard]] Failure open_own(const char* path, UniqueFd& out) noexcept {
  auto dir = open_cgroup(path);
  if (!dir.ok()) {
    return dir.failure().code == ENOENT ? kOk : dir.failure();
  }
  if (!is_hierarchy_root(dir->get())) {
    out = std::move(*dir);
  }
  return kOk;
}

// Sends the signal to the processes of each directory.
class Sender final : public CgroupVisitor {
 public:
  explicit Sender(int signal) noexcept : signal_(signal), self_(::getpid()) {}

  [[nodiscard]] Failure visit(int dir) override {
    sys::Array<pid_t> pids;
    TSRUNC_TRY(read_pids(dir, pids));
    for (size_t at = 0; at < pids.size(); at += kAtOnce) {
      const size_t rest = pids.size() - at;
      TSRUNC_TRY(send(dir, pids.data() + at, rest < kAtOnce ? rest : kAtOnce));
    }
    return kOk;
  }
  [[nodiscard]] uint32_t sent() const noexcept { return sent_; }

 private:
  // A pid that was read may be another process by the time it is opened. One that is still listed after it
  // was opened is, whatever it was before, a process of this cgroup now, and the descriptor cannot come to
  // mean another.
  [[nodiscard]] Failure send(int dir, const pid_t* pids, size_t count) {
    UniqueFd opened[kAtOnce];
    for (size_t i = 0; i < count; ++i) {
      if (pids[i] > 0 && pids[i] != self_) {
        opened[i] = UniqueFd(sys::pidfd_open_raw(pids[i], 0));
        // ESRCH: it has ended; EINVAL: it is a thread of another one by now.
        if (!opened[i].valid() && errno != ESRCH && errno != EINVAL) {
          return sys::fail("pidfd_open");
        }
      }
    }
    sys::Array<pid_t> now;
    TSRUNC_TRY(read_pids(dir, now));
    for (size_t i = 0; i < count; ++i) {
      if (!opened[i].valid() || !contains(now, pids[i])) {
        continue;
      }
      if (sys::pidfd_send_signal_raw(opened[i].get(), signal_) == 0) {
        ++sent_;
      } else if (errno != ESRCH) {
        return sys::fail("pidfd_send_signal");
      }
    }
    return kOk;
  }

  int signal_;
  pid_t self_;
  uint32_t sent_ = 0;
};

struct Members {
  sys::Array<pid_t> pids;  // each once, the caller's own left out
  bool self = false;       // the caller is in there too
};

[[nodiscard]] Failure collect(const wire::StrList& paths, Members& out) noexcept {
  for (uint32_t i = 0; i < paths.count; ++i) {
    UniqueFd dir;
    TSRUNC_TRY(open_own(paths.items[i], dir));
    sys::Array<pid_t> pids;
    if (dir.valid()) {
      TSRUNC_TRY(read_all_pids(dir.get(), pids));
    }
    for (const pid_t pid : pids) {
      if (pid == ::getpid()) {
        out.self = true;
      } else if (!contains(out.pids, pid)) {
        out.pids.push(pid);
      }
    }
  }
  return kOk;
}

// v2, Linux 5.14: one write kills everything beneath, and nothing can fork away from it. True if that was
// enough.
[[nodiscard]] bool kill_by_file(const wire::StrList& paths) noexcept {
  bool all = true;
  for (uint32_t i = 0; i < paths.count; ++i) {
    UniqueFd dir;
    const bool opened = !open_own(paths.items[i], dir);
    if (opened && !dir.valid()) {
      continue;  // gone, and its processes with it
    }
    all = opened && !sys::write_file(dir.get(), "cgroup.kill", "1", 1) && all;
  }
  return all;
}

[[nodiscard]] Failure send_to_all(const wire::StrList& paths, int signal) noexcept {
  for (uint32_t i = 0; i < paths.count; ++i) {
    UniqueFd dir;
    TSRUNC_TRY(open_own(paths.items[i], dir));
    if (dir.valid()) {
      Sender sender(signal);
      TSRUNC_TRY(visit_cgroups(dir.get(), sender));
    }
  }
  return kOk;
}

// Without a freeze where this process would stand still with the others.
[[nodiscard]] Failure kill_once(const wire::StrList& paths, const Members& members) noexcept {
  if (members.self) {
    return send_to_all(paths, SIGKILL);
  }
  if (kill_by_file(paths)) {
    return kOk;
  }
  const FrozenCgroup frozen(paths);
  return send_to_all(paths, SIGKILL);
}

[[nodiscard]] Failure still_alive(const sys::Array<pid_t>& pids, char* detail, size_t size) noexcept {
  sys::Text text(detail, size);
  add_pids(text, pids);
  text.add(pids.size() == 1 ? " does" : " do").add(" not end after SIGKILL");
  char letter = 0;
  if (start_time(pids[0], &letter).ok()) {
    text.add(" (state of the first: ").add(&letter, 1).add(")");
  }
  return sys::fail(ETIMEDOUT, "kill", nullptr, detail);
}

}  // namespace

Failure signal_cgroups(const wire::StrList& paths, int signal, uint32_t& sent) noexcept {
  sent = 0;
  Members members;
  TSRUNC_TRY(collect(paths, members));
  if (signal == SIGKILL && !members.self && !members.pids.empty() && kill_by_file(paths)) {
    sent = static_cast<uint32_t>(members.pids.size());
    return kOk;
  }
  for (uint32_t i = 0; i < paths.count; ++i) {
    UniqueFd dir;
    TSRUNC_TRY(open_own(paths.items[i], dir));
    if (!dir.valid()) {
      continue;
    }
    Sender sender(signal);
    const FrozenCgroup frozen(members.self ? wire::StrList{} : paths);
    TSRUNC_TRY(visit_cgroups(dir.get(), sender));
    sent = sender.sent();
    return kOk;
  }
  return kOk;
}

Failure list_processes(const wire::StrList& paths, sys::Array<pid_t>& out) noexcept {
  Members members;
  TSRUNC_TRY(collect(paths, members));
  out.append(members.pids.data(), members.pids.size());
  if (!out.empty()) {
    ::qsort(out.data(), out.size(), sizeof(pid_t), [](const void* one, const void* other) {
      return *static_cast<const pid_t*>(one) - *static_cast<const pid_t*>(other);
    });
  }
  return kOk;
}

Failure kill_cgroups(const wire::StrList& paths, int milliseconds, char* detail,
                     size_t detail_size) noexcept {
  for (sys::Patience patience(milliseconds);; patience.pause()) {
    Members members;
    TSRUNC_TRY(collect(paths, members));
    if (members.pids.empty()) {
      return kOk;
    }
    if (patience.over()) {
      return still_alive(members.pids, detail, detail_size);
    }
    TSRUNC_TRY(kill_once(paths, members));
  }
}

namespace {

[[nodiscard]] bool has_v1_freezer(const wire::Header& header) noexcept {
  constexpr char kFile[] = "/freezer.state";
  const wire::Str& file = header.frozen_file;
  return file.size > sizeof kFile - 1 && std::strcmp(file.data + file.size - (sizeof kFile - 1), kFile) == 0;
}

}  // namespace

Failure thaw_freezer(const wire::Header& header) noexcept {
  if (!has_v1_freezer(header)) {
    return kOk;
  }
  const Failure failure = sys::write_file(AT_FDCWD, header.frozen_file.data, "THAWED", 6);
  // The cgroup may be gone already, or not be the caller's to write, and then it matters only where it is
  // frozen.
  return failure && is_held_by_freezer(header) ? failure : kOk;
}

Failure held_by_freezer(const wire::Header& header) noexcept {
  return sys::fail(EBUSY, "kill", header.frozen_file.data,
                   "a cgroup above the container's is frozen: its processes end once that is thawed");
}

bool is_held_by_freezer(const wire::Header& header) noexcept {
  char text[32];
  return has_v1_freezer(header) &&
         sys::read_file(AT_FDCWD, header.frozen_file.data, text, sizeof text).ok() &&
         std::strncmp(text, "THAWED", 6) != 0;
}

namespace {

[[nodiscard]] bool is_made_by_systemd(const wire::Plan& plan) noexcept {
  const wire::OpList& ops = plan.list(wire::List::kCreate);
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind == wire::OpKind::kStartUnit) {
      return true;
    }
  }
  return false;
}

// A cgroup in which there is a process, or another cgroup, cannot be removed: one that create made and that
// can be has nobody to kill. Most containers end like that.
[[nodiscard]] bool are_removed(const HostContext& context, const wire::StrList& paths) noexcept {
  for (uint32_t i = 0; i < paths.count; ++i) {
    if (!context.journal_read || !context.journal.has("cgroup", paths.items[i]) ||
        !remove_directory(paths.items[i])) {
      return false;
    }
  }
  return true;
}

[[nodiscard]] Failure kill_own(HostContext& context, const wire::StrList& paths) {
  const auto kill = [&](int milliseconds) {
    return kill_cgroups(paths, milliseconds, context.detail, sizeof context.detail);
  };
  const Failure failure = kill(kLookMilliseconds);
  if (failure.code != ETIMEDOUT) {
    return failure;
  }
  return is_held_by_freezer(context.plan.header) ? held_by_freezer(context.plan.header)
                                                 : kill(kKillMilliseconds - kLookMilliseconds);
}

[[nodiscard]] Failure kill_members(HostContext& context, const wire::StrList& paths) {
  // systemd may have refused the unit because another container has it; init was there before.
  if (context.init.pid != 0 && !context.ungrouped && !is_made_by_systemd(context.plan)) {
    if (context.removed != &paths && are_removed(context, paths)) {
      context.removed = &paths;
    }
    return context.removed == &paths ? kOk : kill_own(context, paths);
  }
  // No init was ever made, or none that is known or has come to its cgroups: whoever is in a cgroup that
  // create did not make is a stranger.
  Journal journal;
  TSRUNC_TRY(journal.load(context.state));
  for (uint32_t i = 0; i < paths.count; ++i) {
    if (journal.has("cgroup", paths.items[i])) {
      const wire::StrList one{paths.items + i, 1};
      TSRUNC_TRY(kill_own(context, one));
    }
  }
  return kOk;
}

}  // namespace

Failure run(HostContext& context, const wire::KillCgroups& op) {
  const Failure failure = context.foreign_cgroup ? kOk : kill_members(context, op.paths);
  context.unkilled = failure.code != 0;
  return failure;
}

}  // namespace tsrunc::engine
