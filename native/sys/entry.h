// What a directory that is open holds itself: calls whose path is one name. A name with a slash, "." and ".."
// are refused (EINVAL) and a symbolic link is never followed, so that none of them can lead out of the
// directory, whoever wrote the tree (CVE-2021-30465, CVE-2024-45310). Each is one call; errno says why not.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>

#include "sys/unique_fd.h"

namespace tsrunc::sys {

// openat(2) with O_NOFOLLOW and O_CLOEXEC: with O_PATH a link itself is opened, else it is ELOOP.
[[nodiscard]] UniqueFd open_entry(int directory, const char* name, int flags, mode_t mode = 0) noexcept;

// O_PATH of a directory that was made a moment ago, openat2(2): what somebody has put into its place is
// refused where it is no directory (ENOTDIR) or where something is mounted on it (EXDEV).
[[nodiscard]] UniqueFd open_made_directory(int directory, const char* name) noexcept;

// The directory itself, opened once more in another way (O_RDONLY of an O_PATH descriptor).
[[nodiscard]] UniqueFd open_again(int directory, int flags) noexcept;

[[nodiscard]] int make_entry_directory(int directory, const char* name, mode_t mode) noexcept;
[[nodiscard]] int make_entry_node(int directory, const char* name, mode_t mode, dev_t device) noexcept;
[[nodiscard]] int make_entry_link(const char* target, int directory, const char* name) noexcept;
[[nodiscard]] int remove_entry(int directory, const char* name) noexcept;
[[nodiscard]] int own_entry(int directory, const char* name, uid_t uid, gid_t gid) noexcept;
[[nodiscard]] int time_entry(int directory, const char* name, const timespec (&times)[2]) noexcept;
[[nodiscard]] int stat_entry(int directory, const char* name, struct stat& out) noexcept;
// Not terminated, as readlink(2).
[[nodiscard]] ssize_t read_entry_link(int directory, const char* name, char* out, size_t size) noexcept;

}  // namespace tsrunc::sys
