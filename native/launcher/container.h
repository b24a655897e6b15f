// A container that exists, found by its ID.
#pragma once

#include "engine/state_dir.h"
#include "launcher/log.h"
#include "sys/array.h"
#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::launcher {

// Where containers are kept when --root is not given: /run/tsrunc, or $XDG_RUNTIME_DIR/tsrunc for a user who
// is not root, and for root of a user namespace that an ordinary user made (USER tells), as with runc.
void add_default_root(sys::Array<char>& out);

// What becomes of a container whose saved plan or state is damaged: an error, or a warning.
enum class Damage : uint8_t { kRefused, kTold };

struct Container {
  engine::StateDir state;
  wire::Plan plan;
  engine::SavedState saved;
  engine::Status status = engine::Status::kStopped;
  bool has_plan = false;  // false: create was interrupted before anything was made

  bool damaged = false;  // its saved state is: nobody knows whether it runs

  // ENOENT: there is none of that ID. EINVAL: no container can have that ID. EBADMSG: a file is damaged,
  // where that is refused.
  [[nodiscard]] sys::Failure open(const char* root, const char* id, engine::Log& log,
                                  Damage damage = Damage::kRefused);
  // Fills plan and state from a directory that is open.
  [[nodiscard]] sys::Failure load(engine::Log& log, Damage damage = Damage::kRefused);
  // Looks again. A saved state that is damaged is no failure where load() has let it pass.
  [[nodiscard]] sys::Failure refresh();
  // EPERM: the directory belongs to somebody else, whose plan this user must not run.
  [[nodiscard]] sys::Failure check_owner() const;

 private:
  sys::Array<char> path_;
};

// `container "x" does not exist` and the like.
[[nodiscard]] int report_missing(Logger& log, const char* id, const sys::Failure& failure);

}  // namespace tsrunc::launcher
