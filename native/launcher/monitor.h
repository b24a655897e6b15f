// The monitor: the process that holds a container's first process, or one of exec, for those who do not stay.
// It is their parent, owns their streams and their terminal, serves who attaches, resizes and waits, and
// notes how they have ended. One thread, one poll(2), buffers of fixed size.
#pragma once

namespace tsrunc::launcher {

// `words`: text of _TSRUNC_MONITOR. Returns the exit code.
[[nodiscard]] int run_monitor(const char* words);

}  // namespace tsrunc::launcher
