// The standard input of a call, read here and still there for node, should the call be node's after all.
#pragma once

#include "sys/array.h"

namespace tsrunc::launcher {

// Appends all of it to `out`, waiting for its end, and puts a file of the same bytes in its place. False: it
// cannot be read, or not be replaced; whoever reads it then finds what is left of it, which is no whole JSON.
[[nodiscard]] bool take_input(sys::Array<char>& out);

}  // namespace tsrunc::launcher
