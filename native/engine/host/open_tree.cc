// Sources that are opened with the host's eyes: for containers whose root is nobody on the host.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/host_context.h"
#include "engine/sync.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

namespace {

// A peer of the host's mounts would carry what the container mounts on it back to the host; the kernel cuts
// that only for the mounts which a new mount namespace copies.
Failure detach_from_peers(int tree, bool recursive, const char* source) {
  mount_attr attributes{};
  attributes.propagation = MS_SLAVE;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  return ::mount_setattr(tree, "", flags, &attributes, sizeof attributes) < 0 ? fail("mount_setattr", source)
                                                                              : kOk;
}

// Why a clone is EPERM: it takes CAP_SYS_ADMIN over the mount namespace, which may be that of an outer user
// namespace. To open a tree that stays where it is takes nothing (open_tree(2)): where that is refused too, a
// filter refuses the call.
const char* why_not_permitted() noexcept {
  const UniqueFd root(::open_tree(AT_FDCWD, "/", OPEN_TREE_CLOEXEC));
  return root.valid() ? "operation not permitted: the caller's mount namespace belongs to another user "
                        "namespace; call tsrunc in one of its own (unshare --mount)"
                      : nullptr;
}

Result<UniqueFd> clone_host_tree(const char* source, bool recursive, bool nofollow) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U) |
                         (nofollow ? static_cast<unsigned>(AT_SYMLINK_NOFOLLOW) : 0U);
  UniqueFd tree(::open_tree(AT_FDCWD, source, flags));
  if (!tree.valid()) {
    const int error = errno;
    return fail(error, "open_tree", source, error == EPERM ? why_not_permitted() : nullptr);
  }
  TSRUNC_TRY(detach_from_peers(tree.get(), recursive, source));
  return tree;
}

Failure open_init_root(HostContext& context) {
  char path[48];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(context.init.pid)).add("/root");
  context.init_root.reset(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (context.init_root.valid()) {
    return kOk;
  }
  return fail(errno, "open", "/proc/PID/root",
              errno == EACCES ? "permission denied: a container with a user namespace and bind mounts takes "
                                "CAP_SYS_PTRACE"
                              : nullptr);
}

}  // namespace

Failure run(HostContext& context, const wire::OpenTree& op) {
  if (op.slot >= kMaxSlots) {
    return fail(EMFILE, "open_tree", op.source.data, nullptr);
  }
  Result<UniqueFd> tree = clone_host_tree(op.source.data, op.recursive, op.nofollow);
  if (!tree.ok()) {
    return tree.failure();
  }
  if (op.expect_device != 0) {
    // Verified on what was opened, not on the name: the host's /dev may be shared with a container.
    struct stat status {};
    if (::fstat(tree->get(), &status) < 0) {
      return fail("fstat", op.source.data);
    }
    if ((status.st_mode & S_IFMT) != op.expect_device || major(status.st_rdev) != op.major ||
        minor(status.st_rdev) != op.minor) {
      return fail(ENODEV, "open_tree", op.source.data,
                  "no such device: the host's file is another device or none");
    }
  }
  context.slots[op.slot] = std::move(*tree);
  return kOk;
}

Failure run(HostContext& context, const wire::OpenSource& op) {
  if (!context.init_root.valid()) {
    TSRUNC_TRY(open_init_root(context));
  }
  const uint64_t flags = O_PATH | (op.nofollow ? uint64_t{O_NOFOLLOW} : 0U);
  Result<UniqueFd> source = sys::openat2(context.init_root.get(), op.source.data, flags, RESOLVE_IN_ROOT);
  if (source.ok()) {
    return send_slot(context.sync.get(), MessageType::kSource, op.slot, source->get());
  }
  // openat2(2): with RESOLVE_IN_ROOT a magic link is one of these errors.
  if (source.failure().code != ELOOP && source.failure().code != EXDEV) {
    return source.failure();
  }
  Result<UniqueFd> tree = clone_host_tree(op.source.data, op.recursive, op.nofollow);
  return tree.ok() ? send_slot(context.sync.get(), MessageType::kTree, op.slot, tree->get()) : tree.failure();
}

}  // namespace tsrunc::engine
