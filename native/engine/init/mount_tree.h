// Mounts by descriptor: a detached tree is made, given its attributes, and moved onto an fd of the
// destination.
#pragma once

#include <cstdint>

#include "engine/init/init_context.h"
#include "engine/init/root_path.h"
#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/decoder.h"

namespace tsrunc::engine {

// mount_setattr(2) of the mount that `fd` is the root of. Nothing to set or clear is no call.
[[nodiscard]] sys::Failure set_attributes(int fd, uint64_t set, uint64_t clear, bool recursive,
                                          const char* path) noexcept;

// Propagation types (MS_SHARED, … with MS_REC or without), one after the other.
[[nodiscard]] sys::Failure set_propagation(int fd, const wire::U32List& types, const char* path) noexcept;

// move_mount(2) of a detached tree onto what `destination` refers to.
[[nodiscard]] sys::Failure attach(int tree, int destination, const char* path) noexcept;

// The same, for what comes after it: the kept directory (init_context.h) is dropped if it may be covered now.
[[nodiscard]] sys::Failure attach(InitContext& context, int tree, const Place& destination,
                                  const char* path) noexcept;

// The same for a mount that config.json asks for: refuses to cover a part of procfs, whatever `path` looked
// like, and to put at /proc what is no procfs (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561).
[[nodiscard]] sys::Failure attach_checked(InitContext& context, int tree, const Place& destination,
                                          const char* path) noexcept;

// That check alone. `is_proc`: what is to be mounted is a procfs.
[[nodiscard]] sys::Failure check_cover(bool is_proc, const Place& destination, const char* path) noexcept;

// The option by which SELinux labels a new file system, "context=LABEL", set on the fd of fsopen(2). Empty:
// none.
[[nodiscard]] sys::Failure set_label(InitContext& context, int fs, const wire::Str& option,
                                     const char* path) noexcept;

// A copy of the mount at `fd` (O_PATH) as a detached tree.
[[nodiscard]] sys::Result<sys::UniqueFd> clone_tree(int fd, bool recursive, const char* path) noexcept;

}  // namespace tsrunc::engine
