// config-linux.md "Devices", "Default Devices", and the links of runtime-linux.md "Dev symbolic links".
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/init/init_context.h"
#include "engine/init/mount_tree.h"
#include "engine/init/root_path.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

// What is at the path already must be the device that was asked for.
Failure check_existing(InitContext& context, int fd, const wire::MakeDevice& op) noexcept {
  struct stat found {};
  if (::fstat(fd, &found) < 0) {
    return fail("fstat", op.path.data);
  }
  const bool same_type = (found.st_mode & S_IFMT) == op.type;
  const bool same_number =
      op.type == S_IFIFO || (major(found.st_rdev) == op.major && minor(found.st_rdev) == op.minor);
  if (same_type && same_number) {
    return kOk;
  }
  sys::Text text(context.detail);
  text.add("file exists: ");
  if (S_ISCHR(found.st_mode) || S_ISBLK(found.st_mode)) {
    text.add(S_ISCHR(found.st_mode) ? "character" : "block").add(" device ");
    text.add(uint64_t{major(found.st_rdev)}).add(":").add(uint64_t{minor(found.st_rdev)});
  } else {
    text.add(S_ISDIR(found.st_mode)   ? "a directory"
             : S_ISLNK(found.st_mode) ? "a symbolic link"
             : S_ISREG(found.st_mode) ? "a regular file"
                                      : "a file of another type");
  }
  text.add(" is there already and is not the device that was asked for");
  return fail(EEXIST, "mknodat", op.path.data, context.detail);
}

}  // namespace

Failure run(InitContext& context, const wire::MakeDevice& op) noexcept {
  const char* path = op.path.data;
  Result<Parent> parent = ensure_parent(context, path);
  if (!parent.ok()) {
    return parent.failure();
  }
  const int directory = parent->directory.get();
  const dev_t device = op.type == S_IFIFO ? 0 : makedev(op.major, op.minor);
  if (::mknodat(directory, parent->name, op.type | op.mode, device) < 0) {
    if (errno != EEXIST) {
      return fail("mknodat", path);
    }
    const UniqueFd existing(::openat(directory, parent->name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    return existing.valid() ? check_existing(context, existing.get(), op) : fail("open", path);
  }
  if ((op.uid != 0 || op.gid != 0) &&
      ::fchownat(directory, parent->name, op.uid, op.gid, AT_SYMLINK_NOFOLLOW) < 0) {
    return fail("fchownat", path);
  }
  return kOk;
}

Failure run(InitContext& context, const wire::BindDevice& op) noexcept {
  if (op.slot >= kMaxSlots || !context.slots[op.slot].valid()) {
    return fail(EBADF, "move_mount", op.path.data, nullptr);
  }
  Result<UniqueFd> target = ensure_file(context, op.path.data);
  if (!target.ok()) {
    return target.failure();
  }
  const UniqueFd tree = std::move(context.slots[op.slot]);
  return attach(tree.get(), target->get(), op.path.data);
}

Failure run(InitContext& context, const wire::MakeSymlink& op) noexcept {
  const char* path = op.path.data;
  if (!op.must_exist.empty()) {
    Result<UniqueFd> needed = open_in_root(context, op.must_exist.data);
    if (!needed.ok()) {
      return needed.failure().code == ENOENT ? kOk : needed.failure();
    }
  }
  Result<Parent> parent = ensure_parent(context, path);
  if (!parent.ok()) {
    return parent.failure();
  }
  const int directory = parent->directory.get();
  if (op.replace && ::unlinkat(directory, parent->name, 0) < 0 && errno != ENOENT) {
    return fail("unlinkat", path);
  }
  if (::symlinkat(op.target.data, directory, parent->name) < 0 && errno != EEXIST) {
    return fail("symlinkat", path);
  }
  return kOk;
}

}  // namespace tsrunc::engine
