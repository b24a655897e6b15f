// Who clears node's memory away. execve(2) of a process that is alone in its memory first unmaps all of it:
// for node two milliseconds and more, in which the container waits. A process that shares the memory
// (CLONE_VM) is left with it by the execve and gives it back by ending, on another processor.
#pragma once

#include <sys/types.h>

namespace tsrunc::addon {

// Starts the heir: it ends when this process has executed another program, or has ended. Its pid, or 0 where
// there is none (no pid or descriptor to be had): execve then does the work. It closes every descriptor that
// it inherited, and sends no SIGCHLD: the next program reaps it by waitpid(2) with __WALL.
[[nodiscard]] pid_t start_heir();

}  // namespace tsrunc::addon
