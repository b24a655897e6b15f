// Reading and writing files whose whole content is wanted at once. `dir`: a directory's descriptor or
// AT_FDCWD.
#pragma once

#include <cstddef>

#include "sys/array.h"
#include "sys/result.h"

namespace tsrunc::sys {

// The file's bytes and a NUL into `buffer`; the length without the NUL. EFBIG: it is longer than `size` - 1.
[[nodiscard]] Result<size_t> read_file(int dir, const char* path, char* buffer, size_t size) noexcept;

// The same of a file that its kernel writes as one record, by one read(2), which gives as much of it as there
// is room for: not every file of proc(5) or of a cgroup (seq_file's single_open; kernfs files without
// seq_start).
[[nodiscard]] Result<size_t> read_record(int dir, const char* path, char* buffer, size_t size) noexcept;

// Appends the file's bytes to `out`, without a NUL.
[[nodiscard]] Failure read_whole(int dir, const char* path, Array<char>& out) noexcept;

// Exactly `size` bytes. EIO: the file is shorter.
[[nodiscard]] Failure read_exactly(int fd, void* data, size_t size, const char* path) noexcept;

// All of it, in as many calls as it takes.
[[nodiscard]] Failure write_all(int fd, const void* data, size_t size, const char* path) noexcept;

}  // namespace tsrunc::sys
