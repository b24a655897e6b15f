// config.md "POSIX-platform Hooks": running one program with the state on its standard input.
#pragma once

#include <cstddef>

#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

struct HookInput {
  const char* state = "";  // OCI state JSON
  size_t size = 0;
};

// Descriptors that the hook gets as its standard output and error; -1: what it prints belongs to the message
// of its failure.
struct HookOutput {
  int standard = -1;
  int error = -1;
};

// Runs the hook, waits for it, kills it (with its process group) when its time is over or, unless it is -1,
// when the process of the pidfd `init` has ended (ECHILD). `detail` takes the story for the user: exit status
// or signal, and the end of what it printed. Allocates nothing: init runs hooks too. A hook that does not
// read its input is no failure.
[[nodiscard]] sys::Failure run_hook(const wire::RunHook& op, const HookInput& input, const HookOutput& output,
                                    int init, char* detail, size_t size) noexcept;

}  // namespace tsrunc::engine
