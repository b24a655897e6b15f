#include "engine/host/cgroup_undo.h"

#include <fcntl.h>
#include <unistd.h>

#include "engine/host/device_filter.h"
#include "sys/kernel.h"

namespace tsrunc::engine {

using sys::Failure;
using sys::kOk;

CgroupUndo::~CgroupUndo() {
  for (const Entry& entry : entries_) {
    for (const int fd : {entry.before, entry.attached}) {
      if (fd >= 0) {
        (void)::close(fd);
      }
    }
  }
}

size_t CgroupUndo::keep(const char* text, size_t size) {
  const size_t at = bytes_.size();
  bytes_.append(text, size);
  bytes_.push(0);
  return at;
}

void CgroupUndo::note_file(const char* file, const char* text, size_t size) {
  const size_t path = keep(file, std::strlen(file));
  entries_.push({path, keep(text, size), size, false, -1, -1});
}

void CgroupUndo::note_filter(const char* path, sys::UniqueFd before, sys::UniqueFd attached) {
  entries_.push({keep(path, std::strlen(path)), 0, 0, true, before.release(), attached.release()});
}

Failure CgroupUndo::restore_one(const Entry& entry) {
  const char* file = bytes_.data() + entry.file;
  if (entry.filter) {
    return swap_device_filter(file, entry.attached, entry.before);
  }
  // A write of nothing would not reach the kernel; a line end empties a list.
  const char* text = entry.size == 0 ? "\n" : bytes_.data() + entry.text;
  return sys::write_file(AT_FDCWD, file, text, entry.size == 0 ? 1 : entry.size);
}

Failure CgroupUndo::restore(const char*& file) {
  Failure first = kOk;
  for (size_t left = entries_.size(); left > 0; --left) {
    const Entry& entry = entries_[left - 1];
    const Failure failure = restore_one(entry);
    if (failure && !first) {
      first = failure;
      file = bytes_.data() + entry.file;
    }
  }
  return first;
}

}  // namespace tsrunc::engine
