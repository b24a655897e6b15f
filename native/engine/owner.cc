#include "engine/owner.h"

#include <unistd.h>

#include <cerrno>

namespace tsrunc::engine {

sys::Result<ProcessId> find_owner(const wire::Launch& launch) noexcept {
  const bool runs = launch.action == static_cast<uint32_t>(wire::Action::kRun) ||
                    launch.action == static_cast<uint32_t>(wire::Action::kRestore);
  if (!runs || launch.detach || launch.keep) {
    return ProcessId{};
  }
  const pid_t pid = ::getpid();
  const auto started = start_time(pid);
  if (!started.ok()) {
    return started.failure();
  }
  return ProcessId{pid, *started};
}

bool has_dead_owner(const SavedState& state) noexcept {
  if (state.owner.pid == 0) {
    return false;
  }
  char letter = 0;
  const auto started = start_time(state.owner.pid, &letter);
  if (!started.ok()) {
    // Whatever else went wrong: it may live.
    return started.failure().code == ESRCH;
  }
  return *started != state.owner.start_time || letter == 'Z' || letter == 'X';
}

}  // namespace tsrunc::engine
