// Everything that needs JavaScript: this process becomes node.
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "sys/array.h"
#include "sys/result.h"

namespace tsrunc::launcher {

// Executes node with dist/main.js and the words of `argv` after the first. Returns, with 1, only if it
// cannot; the reason is on stderr then. `considered`: a request whose plan node is to keep for later calls
// (kept_plans.h), if it can be; none where it is empty.
[[nodiscard]] int run_node(int argc, char** argv, const sys::Array<char>& considered);

// The same with dist/shim.js, containerd's shim, which wants no record of its caller.
[[nodiscard]] int run_shim_node(int argc, char** argv);

// The path of dist/main.js: the JavaScript that belongs to this executable, whatever directory and name it
// was called by. `place`: room for the path in a failure.
[[nodiscard]] sys::Failure find_main(char (&out)[PATH_MAX], char (&place)[PATH_MAX]) noexcept;

// What stat(2) says of dist/bundle.js, which a planner has loaded. False: it is not there.
[[nodiscard]] bool stat_bundle(struct stat& out) noexcept;

// Appends the caller's environment without what would change node's behaviour or speed (NODE_OPTIONS,
// NODE_EXTRA_CA_CERTS) and without words between tsrunc and itself that a caller has no business to say.
void add_environment(sys::Array<char*>& out);

}  // namespace tsrunc::launcher
