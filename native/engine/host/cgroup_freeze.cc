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

template <size_t N>
[[nodiscard]] bool write_text(int dir, const char* name, const char (&text)[N]) noexcept {
  return !sys::write_file(dir, name, text, N - 1);
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

FrozenCgroup::FrozenCgroup(const wire::StrList& paths) noexcept {
  for (uint32_t i = 0; i < paths.count; ++i) {
    auto dir = open_cgroup(paths.items[i]);
    if (!dir.ok()) {
      continue;
    }
    if (freeze_v1(dir->get()) || freeze_v2(dir->get())) {
      dir_ = std::move(*dir);
      return;
    }
  }
}

bool FrozenCgroup::freeze_v1(int dir) noexcept {
  if (v1_freezer(dir) != Freezing::kThawed) {
    return false;
  }
  // Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst: FREEZING until all tasks stand still; writing
  // FROZEN again makes the kernel try again.
  for (sys::Deadline deadline(kFreezeMilliseconds); write_text(dir, "freezer.state", "FROZEN");) {
    char text[32];
    if (!sys::read_file(dir, "freezer.state", text, sizeof text).ok() ||
        std::strncmp(text, "FROZEN", 6) == 0 || deadline.over()) {
      break;
    }
    deadline.pause();
  }
  v2_ = false;
  return true;
}

bool FrozenCgroup::freeze_v2(int dir) noexcept {
  if (v2_freezer(dir) != Freezing::kThawed || !write_text(dir, "cgroup.freeze", "1")) {
    return false;
  }
  v2_ = true;
  for (sys::Deadline deadline(kFreezeMilliseconds); !deadline.over(); deadline.pause()) {
    char text[256];
    if (!sys::read_file(dir, "cgroup.events", text, sizeof text).ok() ||
        std::strstr(text, "frozen 1") != nullptr) {
      break;
    }
  }
  return true;
}

void FrozenCgroup::thaw() noexcept {
  if (!dir_.valid()) {
    return;
  }
  // ENODEV: the cgroup was removed meanwhile.
  (void)(v2_ ? write_text(dir_.get(), "cgroup.freeze", "0")
             : write_text(dir_.get(), "freezer.state", "THAWED"));
  dir_.reset();
}

}  // namespace tsrunc::engine
