// config-linux.md "Masked Paths" and "Readonly Paths".
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

constexpr uint32_t kNoSlot = 0xffffffff;

// Covers `target` with a mount of which there is one for all masks. The first target takes the mount itself,
// the others copies of it: before Linux 6.15 a mount that is not attached yet cannot be copied (open_tree(2),
// EINVAL).
Failure cover(const UniqueFd& mount, bool& attached, int target, const char* path) noexcept {
  if (!attached) {
    TSRUNC_TRY(attach(mount.get(), target, path));
    attached = true;
    return kOk;
  }
  Result<UniqueFd> copy = clone_tree(mount.get(), false, path);
  return copy.ok() ? attach(copy->get(), target, path) : copy.failure();
}

// The host's /dev/null. Verified by type and number: a container's, or a tampered one, would put an arbitrary
// file in the mask's place (CVE-2025-31133).
Failure open_null(InitContext& context) noexcept {
  if (context.null_mask.valid()) {
    return kOk;
  }
  Result<UniqueFd> null = sys::open_host("/dev/null", O_PATH | O_NOFOLLOW);
  if (!null.ok()) {
    return null.failure();
  }
  struct stat status {};
  if (::fstat(null->get(), &status) < 0) {
    return fail("fstat", "/dev/null");
  }
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
    return fail(ENODEV, "open", "/dev/null", "the host's /dev/null is not the character device 1:3");
  }
  Result<UniqueFd> tree = clone_tree(null->get(), false, "/dev/null");
  if (!tree.ok()) {
    return tree.failure();
  }
  context.null_mask = std::move(*tree);
  return kOk;
}

Failure mask_file(InitContext& context, const wire::MaskPath& op, int target) noexcept {
  if (op.null_slot == kNoSlot) {
    TSRUNC_TRY(open_null(context));
  } else if (!context.null_mask.valid()) {
    // The host side opened and verified it (openTree).
    if (op.null_slot >= kMaxSlots || !context.slots[op.null_slot].valid()) {
      return fail(EBADF, "move_mount", "/dev/null", nullptr);
    }
    context.null_mask = std::move(context.slots[op.null_slot]);
  }
  return cover(context.null_mask, context.null_attached, target, op.path.data);
}

// One empty read-only tmpfs masks every directory: many small ones are what makes hosts with many cores slow.
Failure make_empty_dir(InitContext& context, const wire::Str& label) noexcept {
  if (context.empty_dir.valid()) {
    return kOk;
  }
  const UniqueFd fs(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!fs.valid()) {
    return fail("fsopen", "tmpfs");
  }
  TSRUNC_TRY(set_label(context, fs.get(), label, "tmpfs"));
  if (::fsconfig(fs.get(), FSCONFIG_SET_STRING, "size", "0k", 0) < 0 ||
      ::fsconfig(fs.get(), FSCONFIG_SET_STRING, "nr_inodes", "2", 0) < 0 ||
      ::fsconfig(fs.get(), FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
      ::fsconfig(fs.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0) < 0 ||
      ::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    return fail("fsconfig", "tmpfs");
  }
  context.empty_dir.reset(
      ::fsmount(fs.get(), FSMOUNT_CLOEXEC,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  return context.empty_dir.valid() ? kOk : fail("fsmount", "tmpfs");
}

}  // namespace

Failure run(InitContext& context, const wire::MaskPath& op) noexcept {
  const char* path = op.path.data;
  Result<UniqueFd> target = open_in_root(context, path);
  if (!target.ok()) {
    // A mask of what is not there has nothing to hide.
    const int code = target.failure().code;
    return code == ENOENT || code == ENOTDIR ? kOk : target.failure();
  }
  struct stat status {};
  if (::fstat(target->get(), &status) < 0) {
    return fail("fstat", path);
  }
  if (!S_ISDIR(status.st_mode)) {
    return mask_file(context, op, target->get());
  }
  TSRUNC_TRY(make_empty_dir(context, op.label));
  return cover(context.empty_dir, context.empty_attached, target->get(), path);
}

Failure run(InitContext& context, const wire::ReadonlyPath& op) noexcept {
  const char* path = op.path.data;
  Result<UniqueFd> target = open_in_root(context, path);
  if (!target.ok()) {
    const int code = target.failure().code;
    return code == ENOENT || code == ENOTDIR ? kOk : target.failure();
  }
  // Recursive, so that what is mounted below stays visible; only the mount of the path itself becomes
  // read-only, as the peers do. mount_setattr leaves the flags that are locked as they are.
  Result<UniqueFd> tree = clone_tree(target->get(), true, path);
  if (!tree.ok()) {
    return tree.failure();
  }
  TSRUNC_TRY(set_attributes(tree->get(), MOUNT_ATTR_RDONLY, 0, false, path));
  return attach(tree->get(), target->get(), path);
}

}  // namespace tsrunc::engine
