// What an update has replaced, so that a later failure can put it back.
#pragma once

#include <cstddef>

#include "sys/array.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

class CgroupUndo {
 public:
  // `text`: what has to be written into `file` for it to be as it was.
  void note_file(const char* file, const char* text, size_t size);
  // The device filter that was attached to the cgroup directory `path`; invalid: there was none. `attached`:
  // the one that has to go, or invalid.
  void note_filter(const char* path, sys::UniqueFd before, sys::UniqueFd attached);

  // Last first. Goes on after a failure and returns the first one; `file` is then the place.
  [[nodiscard]] sys::Failure restore(const char*& file);

  CgroupUndo() = default;
  ~CgroupUndo();
  CgroupUndo(const CgroupUndo&) = delete;
  CgroupUndo& operator=(const CgroupUndo&) = delete;

 private:
  struct Entry {
    size_t file;  // offsets into bytes_
    size_t text;
    size_t size;
    bool filter;
    int before;  // owned
    int attached;
  };
  [[nodiscard]] size_t keep(const char* text, size_t size);
  [[nodiscard]] sys::Failure restore_one(const Entry& entry);

  sys::Array<char> bytes_;
  sys::Array<Entry> entries_;
};

}  // namespace tsrunc::engine
