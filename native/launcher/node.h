// Everything that needs JavaScript: this process becomes node.
#pragma once

namespace tsrunc::launcher {

// Executes node with dist/main.js and the words of `argv` after the first. Returns, with 1, only if it
// cannot; the reason is on stderr then.
[[nodiscard]] int run_node(int argc, char** argv);

}  // namespace tsrunc::launcher
