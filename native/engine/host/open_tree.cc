// Sources that are opened with the host's eyes: for containers whose root is nobody on the host.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/host_context.h"
#include "sys/kernel.h"

namespace tsrunc::engine {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

Failure run(HostContext& context, const wire::OpenTree& op) {
  if (op.slot >= kMaxSlots) {
    return fail(EMFILE, "open_tree", op.source.data, "too many bind mounts and devices for one container");
  }
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (op.recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U) |
                         (op.nofollow ? static_cast<unsigned>(AT_SYMLINK_NOFOLLOW) : 0U);
  UniqueFd tree(::open_tree(AT_FDCWD, op.source.data, flags));
  if (!tree.valid()) {
    return fail("open_tree", op.source.data);
  }
  if (op.expect_device != 0) {
    // Verified on what was opened, not on the name: the host's /dev may be shared with a container.
    struct stat status {};
    if (::fstat(tree.get(), &status) < 0) {
      return fail("fstat", op.source.data);
    }
    if ((status.st_mode & S_IFMT) != op.expect_device || major(status.st_rdev) != op.major ||
        minor(status.st_rdev) != op.minor) {
      return fail(ENODEV, "open_tree", op.source.data,
                  "no such device: the host's file is another device or none");
    }
  }
  // A peer of the host's mounts would carry what the container mounts on it back to the host; the kernel cuts
  // that only for the mounts which a new mount namespace copies.
  mount_attr attributes{};
  attributes.propagation = MS_SLAVE;
  const unsigned recursive = op.recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U;
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes) < 0) {
    return fail("mount_setattr", op.source.data);
  }
  context.slots[op.slot] = std::move(tree);
  return kOk;
}

}  // namespace tsrunc::engine
