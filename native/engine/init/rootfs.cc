// The root: keeping the host's mounts out of reach of what follows, and entering it.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/init/init_context.h"
#include "engine/init/mount_tree.h"
#include "engine/init/root_path.h"
#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

Failure mount_id(int fd, uint64_t& out) noexcept {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0) {
    return fail("statx");
  }
  if ((status.stx_mask & STATX_MNT_ID) == 0) {
    // glibc has asked fstatat(2), for want of statx(2): what is no number must not be taken for one.
    return fail(ENOSYS, "statx", nullptr, nullptr);
  }
  out = status.stx_mnt_id;
  return kOk;
}

// The root directory of the mount that holds `path`, found by going up until the mount changes.
Result<UniqueFd> containing_mount(const char* path) noexcept {
  Result<UniqueFd> current = sys::open_host(path, O_PATH | O_DIRECTORY);
  if (!current.ok()) {
    return current;
  }
  uint64_t wanted = 0;
  TSRUNC_TRY(mount_id(current->get(), wanted));
  struct stat below {};
  if (::fstat(current->get(), &below) < 0) {
    return fail("fstat", path);
  }
  for (;;) {
    UniqueFd above(::openat(current->get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!above.valid()) {
      return fail("open", path);
    }
    uint64_t id = 0;
    TSRUNC_TRY(mount_id(above.get(), id));
    struct stat status {};
    if (::fstat(above.get(), &status) < 0) {
      return fail("fstat", path);
    }
    const bool top = status.st_ino == below.st_ino && status.st_dev == below.st_dev;
    if (id != wanted || top) {
      return current;
    }
    below = status;
    *current = std::move(above);
  }
}

}  // namespace

Failure run(InitContext& /*context*/, const wire::PrepareMountTree& op) noexcept {
  if (::mount(nullptr, "/", nullptr, op.flags, nullptr) < 0) {
    return fail("mount", "/");
  }
  if ((op.flags & MS_SHARED) == 0) {
    return kOk;
  }
  // The namespace stays a peer of the host's: the bind of the root below must not reach the host, nor may
  // pivot_root find a shared parent (pivot_root(2), EINVAL).
  Result<UniqueFd> mount = containing_mount(op.rootfs.data);
  if (!mount.ok()) {
    return mount.failure();
  }
  const uint32_t types[] = {MS_PRIVATE};
  return set_propagation(mount->get(), {types, 1}, op.rootfs.data);
}

Failure run(InitContext& context, const wire::OpenRoot& op) noexcept {
  const char* path = op.path.data;
  // Once: were the path looked up again, who can rename its directories would have one directory prepared and
  // another one entered.
  Result<UniqueFd> root = sys::open_host(path, O_PATH | O_DIRECTORY);
  if (!root.ok()) {
    return root.failure();
  }
  if (!op.bind) {
    context.root = std::move(*root);
    return kOk;
  }
  // pivot_root(2): the new root must be a mount point.
  UniqueFd tree(
      ::open_tree(root->get(), "",
                  static_cast<unsigned>(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH)));
  if (!tree.valid()) {
    return fail("open_tree", path);
  }
  // What is mounted in it does not show up where it was copied from; what the host mounts below it still
  // comes in, if the tree was not made private (config-linux.md "Rootfs Mount Propagation").
  const uint32_t types[] = {MS_SLAVE};
  TSRUNC_TRY(set_propagation(tree.get(), {types, 1}, path));
  if (::move_mount(tree.get(), "", root->get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    return fail("move_mount", path);
  }
  context.root = std::move(tree);
  return kOk;
}

Failure run(InitContext& context, const wire::MakeDirectory& op) noexcept {
  const Result<Place> directory = ensure_directory(context, op.path.data, op.mode);
  return directory.ok() ? kOk : directory.failure();
}

Failure run(InitContext& context, const wire::SetReadonly& op) noexcept {
  Result<UniqueFd> mounted = open_in_root(context, op.path.data);
  if (!mounted.ok()) {
    return mounted.failure();
  }
  return set_attributes(mounted->get(), MOUNT_ATTR_RDONLY, 0, false, op.path.data);
}

Failure run(InitContext& context, const wire::PivotRoot& /*op*/) noexcept {
  Result<UniqueFd> old_root = sys::open_host("/", O_PATH | O_DIRECTORY);
  if (!old_root.ok()) {
    return old_root.failure();
  }
  if (::fchdir(context.root.get()) < 0) {
    return fail("fchdir", "/");
  }
  if (sys::pivot_root(".", ".") < 0) {
    return fail("pivot_root", "/");
  }
  // pivot_root(2) "pivot_root(".", ".")": the old root is now stacked on the new one. It must not take the
  // host's mounts along when it goes, hence no longer a peer of them.
  if (::fchdir(old_root->get()) < 0) {
    return fail("fchdir", "/");
  }
  if (::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0) {
    return fail("mount", "/");
  }
  if (::umount2(".", MNT_DETACH) < 0) {
    return fail("umount2", "/");
  }
  return ::chdir("/") < 0 ? fail("chdir", "/") : kOk;
}

Failure run(InitContext& context, const wire::MoveRoot& /*op*/) noexcept {
  if (::fchdir(context.root.get()) < 0) {
    return fail("fchdir", "/");
  }
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0) {
    return fail("mount", "/");
  }
  if (::chroot(".") < 0) {
    return fail("chroot", "/");
  }
  return ::chdir("/") < 0 ? fail("chdir", "/") : kOk;
}

Failure run(InitContext& context, const wire::ChangeRoot& /*op*/) noexcept {
  if (::fchdir(context.root.get()) < 0) {
    return fail("fchdir", "/");
  }
  if (::chroot(".") < 0) {
    return fail("chroot", "/");
  }
  return ::chdir("/") < 0 ? fail("chdir", "/") : kOk;
}

Failure run(InitContext& /*context*/, const wire::SetRootPropagation& op) noexcept {
  return ::mount(nullptr, "/", nullptr, op.flags, nullptr) < 0 ? fail("mount", "/") : kOk;
}

}  // namespace tsrunc::engine
