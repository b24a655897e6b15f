// Bind mounts, by source path or by a tree that the host side opened.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "engine/init/init_context.h"
#include "engine/init/mount_tree.h"
#include "engine/init/root_path.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::Result;
using sys::UniqueFd;

constexpr uint32_t kNoSlot = 0xffffffff;

Result<UniqueFd> source_tree(InitContext& context, const wire::MountBind& op) noexcept {
  if (op.slot != kNoSlot) {
    if (op.slot >= kMaxSlots || !context.slots[op.slot].valid()) {
      return fail(EBADF, "open_tree", op.source.data, nullptr);
    }
    return std::move(context.slots[op.slot]);
  }
  const unsigned flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op.recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  UniqueFd tree(::open_tree(AT_FDCWD, op.source.data, flags));
  if (!tree.valid()) {
    return fail("open_tree", op.source.data);
  }
  return tree;
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
  const char* path = op.destination.data;
  // The destination first takes the shape of the source: a directory for a directory, a file for anything
  // else.
  Result<UniqueFd> destination =
      S_ISDIR(source.st_mode) ? ensure_directory(context, path, 0755) : ensure_file(context, path);
  if (!destination.ok()) {
    return destination.failure();
  }
  struct stat target {};
  if (::fstat(destination->get(), &target) < 0) {
    return fail("fstat", path);
  }
  if (S_ISDIR(target.st_mode) && !S_ISDIR(source.st_mode)) {
    return fail(ENOTDIR, "move_mount", path,
                "not a directory: the source is a file, the destination a directory");
  }
  TSRUNC_TRY(set_attributes(tree->get(), op.set_all, op.clear_all, true, path));
  TSRUNC_TRY(set_attributes(tree->get(), op.set, op.clear, false, path));
  TSRUNC_TRY(set_propagation(tree->get(), op.propagation, path));
  return attach_checked(tree->get(), destination->get(), path);
}

}  // namespace tsrunc::engine
