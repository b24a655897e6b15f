// Compiled seccomp programs, kept beneath the directory of all containers' state, so that libseccomp need not
// compile, nor even be loaded, for a profile that was used before.
//
//   ROOT/~seccomp/           0700, of the caller; no container can have that name
//   ROOT/~seccomp/SHA-256    0600, of the caller; made whole by linkat(2), never changed
//
// The name of an entry is the hash of everything that the program depends on but the library: the request,
// the kernel, the addon that compiled it. The library is described in the entry, by its file, because nobody
// knows its version without loading it.
//
// Whoever can write there owns the containers already: their saved plans lie beside it. An entry is believed
// only if the directory and the file are the caller's and nobody else's, and if hash, length and number of
// instructions fit; else it is as if there were none. Nothing here is an error: a program that is not found
// is compiled.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tsrunc::addon {

struct SeccompCacheKey {
  std::string root;        // directory of all containers' state
  std::string compiler;    // path of the addon that compiles
  const uint8_t* request;  // as src/plan/seccomp.ts encodes it
  size_t request_size;
};

// The program, or nothing.
[[nodiscard]] std::vector<sock_filter> find_program(const SeccompCacheKey& key);

// Keeps a program that the libseccomp at the path `library` made. Beyond 64 programs the oldest are removed.
void keep_program(const SeccompCacheKey& key, const std::string& library, const uint8_t* program,
                  size_t size);

}  // namespace tsrunc::addon
