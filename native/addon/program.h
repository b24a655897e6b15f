// Programs that a process of node runs, without the copy of its page tables that node:child_process makes by
// fork(2): node is large, and most of what it has done to its memory since is copied once more afterwards.
#pragma once

#include <napi.h>

namespace tsrunc::addon {

// runProgram({file, argv, input, most, done}): the program's pid. `input`: its standard input, a Uint8Array,
// or undefined for /dev/null. `done(status, stdout, stderr)` once it has ended: the status is 128 + N where
// signal N ended it; of what it wrote the first `most` bytes of each stream come. What a descendant of it
// writes later goes nowhere.
Napi::Value run_program(const Napi::CallbackInfo& info);

}  // namespace tsrunc::addon
