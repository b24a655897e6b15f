// Bind mounts, by source path or by a tree that the host side opened.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <climits>
#include <cstring>

#include "engine/init/init_context.h"
#include "engine/init/mount_tree.h"
#include "engine/init/root_path.h"
#include "sys/entry.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

constexpr uint32_t kNoSlot = 0xffffffff;

// In a mount namespace of a user namespace the kernel holds the host's mounts together
// (mount_namespaces(7) "Restrictions on mount namespaces").
Result<UniqueFd> clone_source(int source, const wire::MountBind& op) noexcept {
  Result<UniqueFd> tree = clone_tree(source, op.recursive, op.source.data);
  if (!tree.ok() && tree.failure().code == EINVAL && !op.recursive) {
    return fail(
        EINVAL, "open_tree", op.source.data,
        "invalid argument: the host has mounts below the source, and in a user namespace they cannot be "
        "left out; use rbind");
  }
  return tree;
}

Failure change_attributes(int tree, const wire::MountBind& op) noexcept {
  const char* path = op.destination.data;
  Failure failure = set_attributes(tree, op.set_all, op.clear_all, true, path);
  if (!failure) {
    failure = set_attributes(tree, op.set, op.clear, false, path);
  }
  if (failure && failure.code == EPERM && op.slot != kNoSlot) {
    return fail(
        EPERM, "mount_setattr", op.source.data,
        "operation not permitted: the host's mount has flags (ro, nosuid, nodev, noexec, or those of access "
        "times) which a container with a user namespace cannot change");
  }
  return failure;
}

Result<UniqueFd> source_tree(InitContext& context, const wire::MountBind& op) noexcept {
  if (op.slot != kNoSlot) {
    if (op.slot >= kMaxSlots || !context.slots[op.slot].valid()) {
      return fail(EBADF, "open_tree", op.source.data, nullptr);
    }
    UniqueFd given = std::move(context.slots[op.slot]);
    return context.is_source[op.slot] ? clone_source(given.get(), op) : Result<UniqueFd>(std::move(given));
  }
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (op.recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U) |
                         (op.source_nofollow ? static_cast<unsigned>(AT_SYMLINK_NOFOLLOW) : 0U);
  UniqueFd tree(::open_tree(AT_FDCWD, op.source.data, flags));
  if (!tree.valid()) {
    return fail("open_tree", op.source.data);
  }
  return tree;
}

// crun(1) "dest-nofollow": not where links are the kernel's own and decide what a process sees.
Failure check_itself(int destination, const char* path) noexcept {
  struct statfs status {};
  if (::fstatfs(destination, &status) < 0) {
    return fail("fstatfs", path);
  }
  switch (status.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEVPTS_SUPER_MAGIC:
      return fail(EPERM, "move_mount", path,
                  "operation not permitted: dest-nofollow is not for what procfs, sysfs and devpts hold");
    default:
      return kOk;
  }
}

// The destination takes the shape of the source: a directory for a directory, a file for anything else.
Result<Place> open_destination(InitContext& context, const wire::MountBind& op, bool directory) noexcept {
  const char* path = op.destination.data;
  if (!op.destination_nofollow) {
    return directory ? ensure_directory(context, path, 0755) : ensure_file(context, path);
  }
  Result<Place> place = ensure_itself(context, path, directory);
  if (place.ok()) {
    TSRUNC_TRY(check_itself(place->fd.get(), path));
  }
  return place;
}

Failure check_shapes(const Place& destination, bool directory, const char* path) noexcept {
  struct stat target {};
  if (destination.made) {
    return kOk;
  }
  if (::fstat(destination.fd.get(), &target) < 0) {
    return fail("fstat", path);
  }
  if (S_ISDIR(target.st_mode) == directory) {
    return kOk;
  }
  return fail(ENOTDIR, "move_mount", path,
              directory ? "not a directory: the source is a directory, the destination is not"
                        : "not a directory: the source is a file, the destination a directory");
}

// `length` as readlink(2) gives it.
Failure end_link(ssize_t length, char (&out)[PATH_MAX], const char* path) noexcept {
  if (length < 0) {
    return fail("readlinkat", path);
  }
  out[length] = 0;
  return kOk;
}

// crun(1) "copy-symlink": what is there already has to be that link.
Failure copy_symlink(InitContext& context, int source, const wire::MountBind& op) noexcept {
  const char* path = op.destination.data;
  char target[PATH_MAX];
  // The link that `source` refers to (O_PATH).
  TSRUNC_TRY(end_link(::readlinkat(source, "", target, sizeof target - 1), target, op.source.data));
  Result<Parent> parent = ensure_parent(context, path);
  if (!parent.ok()) {
    return parent.failure();
  }
  const int directory = parent->directory;
  if (sys::make_entry_link(target, directory, parent->name) == 0) {
    return kOk;
  }
  if (errno != EEXIST) {
    return fail("symlinkat", path);
  }
  char existing[PATH_MAX];
  const ssize_t length = sys::read_entry_link(directory, parent->name, existing, sizeof existing - 1);
  if (!end_link(length, existing, path) && std::strcmp(existing, target) == 0) {
    return kOk;
  }
  sys::Text(context.detail)
      .add("file exists: copy-symlink would make a link to \"")
      .add(target)
      .add("\" there, and what is there already is none");
  return fail(EEXIST, "symlinkat", path, context.detail);
}

}  // namespace

Failure run(InitContext& context, const wire::MountBind& op) noexcept {
  Result<UniqueFd> tree = source_tree(context, op);
  if (!tree.ok()) {
    return tree.failure();
  }
  struct stat source {};
  if (::fstat(tree->get(), &source) < 0) {
    return fail("fstat", op.source.data);
  }
  if (S_ISLNK(source.st_mode) && op.copy_symlink) {
    return copy_symlink(context, tree->get(), op);
  }
  const char* path = op.destination.data;
  const bool directory = S_ISDIR(source.st_mode);
  Result<Place> destination = open_destination(context, op, directory);
  if (!destination.ok()) {
    return destination.failure();
  }
  TSRUNC_TRY(check_shapes(*destination, directory, path));
  TSRUNC_TRY(change_attributes(tree->get(), op));
  TSRUNC_TRY(set_propagation(tree->get(), op.propagation, path));
  return attach_checked(context, tree->get(), *destination, path);
}

}  // namespace tsrunc::engine
