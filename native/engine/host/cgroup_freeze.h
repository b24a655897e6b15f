// A cgroup that stands still for as long as this object lives: no process in it can fork or exit.
#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::engine {

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
  [[nodiscard]] bool freeze_v1(int dir) noexcept;
  [[nodiscard]] bool freeze_v2(int dir) noexcept;

  sys::UniqueFd dir_;
  bool v2_ = false;
};

enum class Freezing : uint8_t { kNone, kThawed, kFrozen };
// Whether the directory has a freezer, and its state as set or requested.
[[nodiscard]] Freezing v1_freezer(int dir) noexcept;
[[nodiscard]] Freezing v2_freezer(int dir) noexcept;

}  // namespace tsrunc::engine
