// The engine's verbs, as the launcher calls them. Each returns false with `why` filled in when it failed;
// then everything it did is undone.
#pragma once

#include <sys/types.h>

#include "engine/failure_record.h"
#include "engine/host_context.h"
#include "engine/state_dir.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// From nothing to `created`. On success `context` holds init's pid, pidfd and, with a terminal and no console
// socket in the plan, the console's master. Makes the state directory itself (StateDir::make): the caller
// must not.
[[nodiscard]] bool create(HostContext& context, FailureRecord& why);

// From `created` to `running`: releases init at the exec fifo, learns whether execve succeeded, runs the
// start list (poststart hooks). On failure init is killed.
[[nodiscard]] bool start(HostContext& context, FailureRecord& why);

// One more process in the container of `context.target`, up to its program. On success `context` holds its
// pid, pidfd and, with a terminal and no console socket in the plan, the master.
[[nodiscard]] bool exec(HostContext& context, FailureRecord& why);

// Kills what is left of the container, runs the delete list and removes the state directory. Used by delete,
// by a failed create or start and by run. `context.init` may be empty. Goes on after a failure and reports
// the first one.
[[nodiscard]] bool destroy(HostContext& context, FailureRecord& why);

// destroy, after a failure that is told: what could not be taken away is the smaller news, and a warning.
void take_back(HostContext& context);

// From nothing to `running`, where a checkpoint was: as create, but CRIU makes the processes, which run when
// it returns.
[[nodiscard]] bool restore(HostContext& context, FailureRecord& why);

// Changes the limits of a container that exists: runs the create list of an update's plan, all of it or, by
// putting back what was there before, nothing.
[[nodiscard]] bool update(HostContext& context, FailureRecord& why);

// OCI state (runtime.md "State"), pretty-printed, with a newline, into `out`; returns its length or 0 if it
// does not fit. `pid` 0 leaves nothing out: it prints 0. Allocates nothing, because init's hooks need it too.
[[nodiscard]] size_t format_state(const wire::Header& header, pid_t pid, const char* status,
                                  const char* created, char* out, size_t size) noexcept;

}  // namespace tsrunc::engine
