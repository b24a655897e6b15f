// Freezing a cgroup: Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst, and "cgroup.freeze" of
// Documentation/admin-guide/cgroup-v2.rst.
#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::engine {

enum class Freezing : uint8_t { kNone, kThawed, kFrozen };
// Whether the directory has a freezer, and its state as set or requested.
[[nodiscard]] Freezing v1_freezer(int dir) noexcept;
[[nodiscard]] Freezing v2_freezer(int dir) noexcept;

// Freezes the directory and everything beneath it, and waits until all of it stands still. EOPNOTSUPP: there
// is no freezer. ETIMEDOUT: a process did not come to a stop, and the cgroup is thawed again.
[[nodiscard]] sys::Failure freeze_cgroup(int dir, int milliseconds) noexcept;
// EOPNOTSUPP: there is no freezer.
[[nodiscard]] sys::Failure thaw_cgroup(int dir) noexcept;

// A cgroup that stands still for as long as this object lives: no process in it can fork or exit.
class FrozenCgroup {
 public:
  // Freezes by the one of `paths` that has a v1 freezer or a v2 cgroup.freeze. Best effort: what cannot be
  // frozen, or was frozen by somebody else before, is left as it is.
  explicit FrozenCgroup(const wire::StrList& paths) noexcept;
  ~FrozenCgroup() { thaw(); }
  FrozenCgroup(const FrozenCgroup&) = delete;
  FrozenCgroup& operator=(const FrozenCgroup&) = delete;

  void thaw() noexcept;

 private:
  sys::UniqueFd dir_;
};

}  // namespace tsrunc::engine
