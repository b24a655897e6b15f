// Mounts of a container's root, which node cannot make: what to call is decided by src/shim/mounts.ts.
#pragma once

namespace tsrunc::shim {

// Seven words a mount: directory to be in ("" for any), type, source, target, flags, flags of propagation,
// data. Each one is made in turn; if one fails, those before it are undone.
[[nodiscard]] int run_mount(int count, char** words);

// `mounted COUNT WORD… PROGRAM ARGUMENT…`: a call of tsrunc for which a container's root is mounted first, by
// the process that makes the container of it.
[[nodiscard]] bool is_mounted_call(int argc, char** argv) noexcept;

// Mounts, and leaves the call. Otherwise the exit code, kNotMounted.
inline constexpr int kNotMounted = 125;
[[nodiscard]] int mount_for_call(int& argc, char**& argv);

// Everything that is mounted at each path, the uppermost first. What is not mounted, or not there, is no
// error.
[[nodiscard]] int run_unmount(int count, char** words);

}  // namespace tsrunc::shim
