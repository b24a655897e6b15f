// As become(), without execve(2): this process goes on where it is, and every page of the file that it was
// started from is exchanged for the same one of another file.
#pragma once

namespace tsrunc::launcher {

// `program`: open for reading; has to have the very bytes of the running executable, as an overlay of it has
// (sealed.h). True: whoever looks at /proc/PID/exe, at what is mapped here or at what a child of this process
// maps finds that file and no longer the one before. False: this process is as it was, or runs from both of
// them, which is for become().
//
// An execve(2) of the same file and the program's beginning took 3.8 ms on a slow machine; this takes less
// than one.
[[nodiscard]] bool become_in_place(int program) noexcept;

}  // namespace tsrunc::launcher
