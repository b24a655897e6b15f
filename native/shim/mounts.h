// Mounts of a container's root, which node cannot make: what to call is decided by src/shim/mounts.ts.
#pragma once

namespace tsrunc::shim {

// Seven words a mount: directory to be in ("" for any), type, source, target, flags, flags of propagation,
// data. Each one is made in turn; if one fails, those before it are undone.
[[nodiscard]] int run_mount(int count, char** words);

// Everything that is mounted at each path, the uppermost first. What is not mounted, or not there, is no
// error.
[[nodiscard]] int run_unmount(int count, char** words);

}  // namespace tsrunc::shim
