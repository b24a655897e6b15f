// undoJournal. What each kind of line asks for:
//   cgroup PATH    the container's own directory (that of a makeCgroup; without a plan, one that no other
//   line lies
//                  beneath) with everything in it; a parent only if nobody uses it any more
//   pidfile PATH   only if the container was never created: afterwards the file is its caller's, as with
//   runc; and only
//                  if it holds what the line before, "pid PID", says
//   rdt PATH       a group of resctrl that the container has for itself
//   rdtclass PATH  one that has a name: only if the container was never created
//   unit NAME      nothing: stopUnit asks systemd, and what it leaves has lines of its own
//   notmade PATH   the line before came to nothing
//   netdevice …    what was lent to the container, see net_device.h
//   mounts PATH    what was mounted there since the line before, "mounted …", see mounts.h
#include "engine/host/undo_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "engine/host/cgroup_processes.h"
#include "engine/host/cgroup_tree.h"
#include "engine/host/mounts.h"
#include "engine/host/net_device.h"
#include "engine/host/pid_file.h"
#include "engine/journal.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

// The last process leaves its cgroup some time after it was seen to end.
constexpr int kRemoveMilliseconds = 5000;
constexpr int kKillMilliseconds = 10000;

[[nodiscard]] bool is_kind(const JournalEntry& entry, const char* kind) noexcept {
  return std::strcmp(entry.kind, kind) == 0;
}

[[nodiscard]] bool lies_beneath(const char* path, const char* top) noexcept {
  const size_t length = std::strlen(top);
  return std::strncmp(path, top, length) == 0 && path[length] == '/';
}

// Whether `path` is a directory that the plan made for the container alone, not one on the way to it.
[[nodiscard]] bool is_own_cgroup(const wire::OpList& made, const Journal& journal,
                                 const char* path) noexcept {
  bool any = false;
  for (uint32_t i = 0; i < made.count; ++i) {
    if (made.items[i].kind == wire::OpKind::kMakeCgroup) {
      any = true;
      if (std::strcmp(made.items[i].as<wire::MakeCgroup>().path.data, path) == 0) {
        return true;
      }
    }
    if (made.items[i].kind == wire::OpKind::kStartUnit) {
      any = true;
      const wire::StrList& directories = made.items[i].as<wire::StartUnit>().directories;
      for (uint32_t at = 0; at < directories.count; ++at) {
        if (std::strcmp(directories.items[at], path) == 0) {
          return true;
        }
      }
    }
  }
  if (any) {
    return false;
  }
  for (size_t i = 0; i < journal.size(); ++i) {
    if (is_kind(journal[i], "cgroup") && lies_beneath(journal[i].path, path)) {
      return false;
    }
  }
  return true;
}

class Undo {
 public:
  explicit Undo(HostContext& context) noexcept : context_(context), journal_(context.journal) {}

  [[nodiscard]] Failure run() {
    if (!context_.journal_read) {
      TSRUNC_TRY(context_.journal.load(context_.state));
    }
    for (size_t i = journal_.size(); i > 0; --i) {
      if (const Failure failure = undo(i - 1); failure && !first_) {
        keep(failure);
      }
    }
    if (journal_.damage().any && context_.init.pid != 0 && !context_.foreign_cgroup) {
      remove_unnoted();
    }
    return first_;
  }

 private:
  // The plan names the cgroups whose lines are lost. A container that had an init had them for itself, and
  // what was in them is killed by now.
  void remove_unnoted() {
    const wire::OpList& made = context_.plan.list(wire::List::kCreate);
    for (uint32_t i = 0; i < made.count; ++i) {
      if (made.items[i].kind != wire::OpKind::kMakeCgroup) {
        continue;
      }
      const char* path = made.items[i].as<wire::MakeCgroup>().path.data;
      const Failure failure = journal_.has("cgroup", path) ? kOk : undo_cgroup(path);
      if (failure && !first_) {
        keep(failure);
      }
    }
  }

  [[nodiscard]] Failure undo(size_t index) {
    const JournalEntry& entry = journal_[index];
    if (is_kind(entry, "cgroup")) {
      return context_.foreign_cgroup ? kOk : undo_cgroup(entry.path);
    }
    const bool created = ::faccessat(context_.state.fd(), "state", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    const char* before = index > 0 ? journal_[index - 1].path : nullptr;
    if (is_kind(entry, "pidfile") && index > 0 && is_kind(journal_[index - 1], "pid")) {
      return created ? kOk : remove_pid_file(entry.path, before);
    }
    if (index + 1 < journal_.size() && is_kind(journal_[index + 1], "notmade")) {
      return kOk;
    }
    if (is_kind(entry, "rdt") || (is_kind(entry, "rdtclass") && !created)) {
      return remove_directory(entry.path) ? kOk : sys::fail("rmdir", entry.path);
    }
    if (is_kind(entry, "netdevice")) {
      // config-linux.md "Network Namespace Lifecycle": once there was a container, it does not come back.
      return created ? kOk : undo_net_device(context_, journal_, index);
    }
    if (is_kind(entry, "mounts") && index > 0 && is_kind(journal_[index - 1], "mounted")) {
      return undo_mounts(entry.path, before, context_.detail, sizeof context_.detail);
    }
    return kOk;
  }

  // By killCgroups. Somebody else may have made one of that name since.
  [[nodiscard]] bool was_removed(const char* path) const noexcept {
    const wire::StrList* removed = context_.removed;
    for (uint32_t i = 0; removed != nullptr && i < removed->count; ++i) {
      if (std::strcmp(removed->items[i], path) == 0) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] Failure undo_cgroup(const char* path) {
    if (was_removed(path)) {
      return kOk;
    }
    if (is_own_cgroup(context_.plan.list(wire::List::kCreate), journal_, path)) {
      if (context_.plan.list(wire::List::kDelete).count == 0) {
        // Nothing has killed what is in it: there is no plan that says so.
        const wire::StrList one{&path, 1};
        TSRUNC_TRY(kill_cgroups(one, kKillMilliseconds, context_.detail, sizeof context_.detail));
      }
      const sys::Patience patience(context_.unkilled ? 0 : kRemoveMilliseconds);
      return remove_cgroup(path, patience, context_.detail, sizeof context_.detail);
    }
    return remove_directory(path) || errno == EBUSY || errno == ENOTEMPTY ? kOk : sys::fail("rmdir", path);
  }

  // The journal may be read again before this is told, and later failures reuse the context's room for
  // details.
  void keep(const Failure& failure) {
    first_ = failure;
    static char path[512];
    static char detail[sizeof context_.detail];
    sys::Text(path).add(failure.path == nullptr ? "" : failure.path);
    first_.path = failure.path == nullptr ? nullptr : path;
    if (failure.detail == context_.detail) {
      sys::Text(detail).add(failure.detail);
      first_.detail = detail;
    }
  }

  HostContext& context_;
  const Journal& journal_;
  Failure first_;
};

}  // namespace

Failure undo_journal(HostContext& context) {
  return Undo(context).run();
}

Failure run(HostContext& context, const wire::UndoJournal& op) {
  (void)op;
  return undo_journal(context);
}

}  // namespace tsrunc::engine
