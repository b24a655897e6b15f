// The mounts of a container without a mount namespace of its own: nothing but the runtime takes them away.
#pragma once

#include <cstddef>

#include "sys/result.h"

namespace tsrunc::engine {

// Unmounts what was mounted at and below a path since it was journaled. `where`: the entry "mounts" of the
// journal, PATH[\tNAMESPACE]; `before`: the entry "mounted" in front of it, the namespace's inode and the ids
// of the mounts which were there already. A namespace that is gone took its mounts with it.
[[nodiscard]] sys::Failure undo_mounts(const char* where, const char* before, char* detail,
                                       size_t detail_size);

}  // namespace tsrunc::engine
