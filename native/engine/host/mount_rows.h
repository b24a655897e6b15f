// The lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/array.h"
#include "sys/result.h"

namespace tsrunc::engine {

struct MountRow {
  uint64_t id = 0;
  const char* path = nullptr;
  const char* options = "";  // of the mount, joined by commas
  const char* type = "";     // of the file system, as in "fuse.sshfs"
};

class MountRows {
 public:
  // Reads the file `mountinfo` in the directory `process`, a /proc/PID.
  [[nodiscard]] sys::Failure load(int process);
  void parse(const char* text, size_t size);

  [[nodiscard]] size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] const MountRow& operator[](size_t index) const noexcept { return rows_[index]; }

 private:
  void split();

  sys::Array<char> text_;
  sys::Array<MountRow> rows_;
};

// The mount that a descriptor of this process is on: by statx(2), and where the filter of an outer container
// denies that (glibc then asks fstatat(2), which knows no mounts), as proc_pid_fdinfo(5) has it. `process`:
// the directory /proc/self.
[[nodiscard]] bool find_mount_id(int process, int fd, uint64_t& out) noexcept;

// `path` is `top` or lies below it.
[[nodiscard]] bool at_or_below(const char* path, const char* top) noexcept;

}  // namespace tsrunc::engine
