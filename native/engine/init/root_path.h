// Paths of the container, resolved once, beneath the root's fd (openat2 with RESOLVE_IN_ROOT): absolute links
// and ".." stay inside, whatever a neighbour that shares a volume does meanwhile. What comes back is an fd,
// and every later action is on that fd (CVE-2021-30465, CVE-2024-45310, CVE-2026-41579).
#pragma once

#include <sys/types.h>

#include "engine/init/init_context.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

// O_PATH descriptor of an existing path; links are followed inside of the root.
[[nodiscard]] sys::Result<sys::UniqueFd> open_in_root(const InitContext& context, const char* path) noexcept;

// The same, opened with `flags` (O_RDONLY, …).
[[nodiscard]] sys::Result<sys::UniqueFd> open_in_root(const InitContext& context, const char* path,
                                                      uint64_t flags) noexcept;

// What may be mounted on. `path` of the functions below has to live as long as the plan does.
struct Place {
  sys::UniqueFd fd;   // O_PATH, or a file that was made, as it was
  bool made = false;  // by this call, in a directory where something can be made, thus not of procfs; it is
                      // of the same mount as that one, nothing is mounted on it
};

// A directory; what is missing is made with `mode`, also behind dangling links.
[[nodiscard]] sys::Result<Place> ensure_directory(InitContext& context, const char* path,
                                                  mode_t mode) noexcept;

// A file of any type; if it is missing an empty regular one is made.
[[nodiscard]] sys::Result<Place> ensure_file(InitContext& context, const char* path) noexcept;

// The same for the last component itself: a symbolic link there is not followed, but what comes back.
[[nodiscard]] sys::Result<Place> ensure_itself(InitContext& context, const char* path,
                                               bool directory) noexcept;

// The directory that holds `path` (made if missing) and the last component's name, for mknodat and the like.
// The last component itself is not looked at. `name` points into `path`, `directory` is the one that is kept.
struct Parent {
  int directory = -1;
  const char* name = nullptr;
};
[[nodiscard]] sys::Result<Parent> ensure_parent(InitContext& context, const char* path) noexcept;

// Whether an operation leaves the kept directory where it is. One that mounts drops it by itself, unless it
// mounts on what was made in it.
[[nodiscard]] bool keeps_directory(wire::OpKind kind) noexcept;

}  // namespace tsrunc::engine
