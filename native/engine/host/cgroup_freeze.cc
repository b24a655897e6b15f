#include "engine/host/cgroup_freeze.h"

#include <cstring>

#include "engine/host/cgroup_tree.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/small_file.h"

namespace tsrunc::engine {
namespace {

// A process in an uninterruptible sleep freezes only when it wakes: not worth a longer wait, the kill loop
// comes back.
constexpr int kFreezeMilliseconds = 500;
constexpr char kV1File[] = "freezer.state";
constexpr char kV2File[] = "cgroup.freeze";

enum class Kind : uint8_t { kNone, kV1, kV2 };

[[nodiscard]] Kind kind_of(int dir) noexcept {
  if (v1_freezer(dir) != Freezing::kNone) {
    return Kind::kV1;
  }
  return v2_freezer(dir) != Freezing::kNone ? Kind::kV2 : Kind::kNone;
}

[[nodiscard]] sys::Failure no_freezer() noexcept {
  return sys::fail(EOPNOTSUPP, "open", kV1File, "the cgroup has no freezer");
}

[[nodiscard]] sys::Failure request(int dir, Kind kind, bool frozen) noexcept {
  if (kind == Kind::kV2) {
    return sys::write_file(dir, kV2File, frozen ? "1" : "0", 1);
  }
  return sys::write_file(dir, kV1File, frozen ? "FROZEN" : "THAWED", 6);
}

[[nodiscard]] bool stands_still(int dir, Kind kind) noexcept {
  char text[256];
  if (!sys::read_file(dir, kind == Kind::kV2 ? "cgroup.events" : kV1File, text, sizeof text).ok()) {
    return false;
  }
  return kind == Kind::kV2 ? std::strstr(text, "frozen 1") != nullptr : std::strncmp(text, "FROZEN", 6) == 0;
}

// Asks for it and waits, at most until the deadline. v1 is FREEZING until all tasks stand still; writing
// FROZEN again makes the kernel try again, and on v2 it changes nothing.
[[nodiscard]] sys::Failure freeze_until(int dir, Kind kind, sys::Deadline deadline) noexcept {
  for (;; deadline.pause()) {
    TSRUNC_TRY(request(dir, kind, true));
    if (stands_still(dir, kind)) {
      return sys::kOk;
    }
    if (deadline.over()) {
      return sys::fail(ETIMEDOUT, "write", kind == Kind::kV2 ? kV2File : kV1File,
                       "a process of the container does not come to a stop");
    }
  }
}

}  // namespace

Freezing v1_freezer(int dir) noexcept {
  char text[32];
  if (!sys::read_file(dir, "freezer.state", text, sizeof text).ok()) {
    return Freezing::kNone;
  }
  return std::strncmp(text, "THAWED", 6) == 0 ? Freezing::kThawed : Freezing::kFrozen;
}

Freezing v2_freezer(int dir) noexcept {
  char text[32];
  if (!sys::read_file(dir, "cgroup.freeze", text, sizeof text).ok()) {
    return Freezing::kNone;
  }
  return text[0] == '0' ? Freezing::kThawed : Freezing::kFrozen;
}

sys::Failure freeze_cgroup(int dir, int milliseconds) noexcept {
  const Kind kind = kind_of(dir);
  if (kind == Kind::kNone) {
    return no_freezer();
  }
  const sys::Failure failure = freeze_until(dir, kind, sys::Deadline(milliseconds));
  if (failure) {
    (void)request(dir, kind, false);  // what failed is said already
  }
  return failure;
}

sys::Failure thaw_cgroup(int dir) noexcept {
  const Kind kind = kind_of(dir);
  return kind == Kind::kNone ? no_freezer() : request(dir, kind, false);
}

FrozenCgroup::FrozenCgroup(const wire::StrList& paths) noexcept {
  for (uint32_t i = 0; i < paths.count; ++i) {
    auto dir = open_cgroup(paths.items[i]);
    if (!dir.ok()) {
      continue;
    }
    const bool thawed =
        v1_freezer(dir->get()) == Freezing::kThawed || v2_freezer(dir->get()) == Freezing::kThawed;
    if (!thawed) {
      continue;
    }
    // Also a freeze that is not complete yet holds those back that would fork.
    const sys::Failure failure =
        freeze_until(dir->get(), kind_of(dir->get()), sys::Deadline(kFreezeMilliseconds));
    if (!failure || failure.code == ETIMEDOUT) {
      dir_ = std::move(*dir);
      return;
    }
  }
}

void FrozenCgroup::thaw() noexcept {
  if (dir_.valid()) {
    (void)thaw_cgroup(dir_.get());  // ENODEV: the cgroup was removed meanwhile
    dir_.reset();
  }
}

}  // namespace tsrunc::engine
