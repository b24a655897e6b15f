// The container that a planner is asked about by its ID: exec, update.
#pragma once

#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// Its directory beneath `root`, the directory of all containers' state. Not valid: it is not there, somebody
// else's, or not to be named so; node says which.
[[nodiscard]] sys::UniqueFd open_called(const char* root, const char* id);

// The same, locked (engine/state_lock.h). Not valid, too: another call is at work on it, which node waits
// for.
[[nodiscard]] sys::UniqueFd lock_called(const char* root, const char* id);

// TypeScript takes ".." out of a path by its text, the kernel by following links.
[[nodiscard]] bool goes_up(const char* path) noexcept;

}  // namespace tsrunc::launcher
