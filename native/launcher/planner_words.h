// Words of a request, each with its NUL behind it, written where they are sent from: a buffer for each path
// would be a page of the stack for each.
#pragma once

#include <limits.h>
#include <stdlib.h>

#include <cstddef>
#include <cstring>

#include "sys/array.h"

namespace tsrunc::launcher {

inline void add_word(sys::Array<char>& out, const char* word) {
  out.append(word, std::strlen(word) + 1);
}

// `most` bytes at the end of `out`; the caller cuts what it has not used. Returns where they begin.
[[nodiscard]] inline size_t add_room(sys::Array<char>& out, size_t most) {
  const size_t at = out.size();
  out.resize(at + most);
  return at;
}

// Cuts behind the word that begins at `at`, or before it.
[[nodiscard]] inline bool keep_word(sys::Array<char>& out, size_t at, bool good) {
  out.resize(good ? at + std::strlen(out.data() + at) + 1 : at);
  return good;
}

// The real path, as a word. `path`: nullptr: the word of `out` that begins at `given`.
[[nodiscard]] inline bool add_real_path(sys::Array<char>& out, const char* path, size_t given = 0) {
  const size_t at = add_room(out, PATH_MAX);
  const char* from = path == nullptr ? out.data() + given : path;
  return keep_word(out, at, ::realpath(from, out.data() + at) != nullptr);
}

}  // namespace tsrunc::launcher
