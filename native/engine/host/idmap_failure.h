// Why a mount could not be id-mapped: the kernel says EINVAL for a whole tree, and a person wants to know
// which file system it was.
#pragma once

#include "engine/host_context.h"
#include "sys/result.h"

namespace tsrunc::engine {

// mount_setattr(2) with MOUNT_ATTR_IDMAP on a detached tree. -1 and errno as the call.
[[nodiscard]] int set_id_map(int tree, int user_namespace, bool recursive) noexcept;

// The failure of set_id_map for the tree from `op.source`, with the file system's type and what to do.
[[nodiscard]] sys::Failure explain_idmap_failure(HostContext& context, const wire::MapTree& op, int code);

}  // namespace tsrunc::engine
