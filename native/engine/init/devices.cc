// config-linux.md "Devices", "Default Devices", and the links of runtime-linux.md "Dev symbolic links".
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

struct Device {
  uint32_t type;
  uint32_t major;
  uint32_t minor;
};

bool is_device(const struct stat& found, const Device& wanted) noexcept {
  return (found.st_mode & S_IFMT) == wanted.type &&
         (wanted.type == S_IFIFO ||
          (major(found.st_rdev) == wanted.major && minor(found.st_rdev) == wanted.minor));
}

// config-linux.md "Devices": a file that does not match is an error.
Failure another_file(InitContext& context, const struct stat& found, const char* path) noexcept {
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
  return fail(EEXIST, "mknodat", path, context.detail);
}

// A device that is there already, with the mode and the owner that were asked for.
Failure adopt(InitContext& context, int fd, const wire::MakeDevice& op) noexcept {
  const char* path = op.path.data;
  struct stat found {};
  if (::fstat(fd, &found) < 0) {
    return fail("fstat", path);
  }
  if (!is_device(found, {op.type, op.major, op.minor})) {
    return another_file(context, found, path);
  }
  if (op.must_exist) {
    return kOk;
  }
  if (op.set_owner && (found.st_uid != op.uid || found.st_gid != op.gid) &&
      ::fchownat(fd, "", op.uid, op.gid, AT_EMPTY_PATH) < 0) {
    return fail("fchownat", path);
  }
  // fchmod(2) does not take an O_PATH descriptor.
  if (op.set_mode && (found.st_mode & 07777U) != op.mode &&
      ::fchmodat(AT_FDCWD, sys::FdPath(fd).text, op.mode, 0) < 0) {
    return fail("fchmodat", path);
  }
  return kOk;
}

// The host's device, opened by the host side, or by init where it is as much of the host.
Result<UniqueFd> device_tree(InitContext& context, const wire::BindDevice& op) noexcept {
  const char* path = op.path.data;
  if (op.slot != kNoSlot && (op.slot >= kMaxSlots || !context.slots[op.slot].valid())) {
    return fail(EBADF, "move_mount", path, nullptr);
  }
  UniqueFd tree = op.slot != kNoSlot ? std::move(context.slots[op.slot])
                                     : UniqueFd(::open_tree(AT_FDCWD, path,
                                                            static_cast<unsigned>(OPEN_TREE_CLONE) |
                                                                static_cast<unsigned>(OPEN_TREE_CLOEXEC)));
  struct stat status {};
  if (!tree.valid() || ::fstat(tree.get(), &status) < 0) {
    return fail("open_tree", path);
  }
  if (!is_device(status, {op.type, op.major, op.minor})) {
    return fail(ENODEV, "open_tree", path, "no such device: the host's file is another device or none");
  }
  return tree;
}

// What is at the path: that device, or an empty file, which an earlier container's mount may have needed.
Failure check_place(InitContext& context, int fd, const wire::BindDevice& op) noexcept {
  struct stat found {};
  if (::fstat(fd, &found) < 0) {
    return fail("fstat", op.path.data);
  }
  const bool empty = S_ISREG(found.st_mode) && found.st_size == 0;
  return empty || is_device(found, {op.type, op.major, op.minor})
             ? kOk
             : another_file(context, found, op.path.data);
}

}  // namespace

Failure run(InitContext& context, const wire::MakeDevice& op) noexcept {
  const char* path = op.path.data;
  if (op.must_exist) {
    Result<UniqueFd> existing = open_in_root(context, path);
    return existing.ok() ? adopt(context, existing->get(), op) : existing.failure();
  }
  Result<Parent> parent = ensure_parent(context, path);
  if (!parent.ok()) {
    return parent.failure();
  }
  const int directory = parent->directory;
  const dev_t device = op.type == S_IFIFO ? 0 : makedev(op.major, op.minor);
  if (sys::make_entry_node(directory, parent->name, op.type | op.mode, device) < 0) {
    if (errno != EEXIST) {
      return fail("mknodat", path);
    }
    const UniqueFd existing = sys::open_entry(directory, parent->name, O_PATH);
    return existing.valid() ? adopt(context, existing.get(), op) : fail("open", path);
  }
  if ((op.uid != 0 || op.gid != 0) && sys::own_entry(directory, parent->name, op.uid, op.gid) < 0) {
    return fail("fchownat", path);
  }
  return kOk;
}

Failure run(InitContext& context, const wire::BindDevice& op) noexcept {
  Result<UniqueFd> tree = device_tree(context, op);
  if (!tree.ok()) {
    return tree.failure();
  }
  Result<Place> target = ensure_itself(context, op.path.data, false);
  if (!target.ok()) {
    return target.failure();
  }
  TSRUNC_TRY(check_place(context, target->fd.get(), op));
  return attach(context, tree->get(), *target, op.path.data);
}

Failure run(InitContext& context, const wire::MakeSymlink& op) noexcept {
  const char* path = op.path.data;
  const char* needed = op.must_exist.empty() ? nullptr : op.must_exist.data;
  const char* known = context.kept.existing;
  if (needed != nullptr && (known == nullptr || std::strcmp(needed, known) != 0)) {
    const Result<UniqueFd> found = open_in_root(context, needed);
    if (!found.ok()) {
      return found.failure().code == ENOENT ? kOk : found.failure();
    }
    context.kept.existing = needed;
  }
  Result<Parent> parent = ensure_parent(context, path);
  if (!parent.ok()) {
    return parent.failure();
  }
  const int directory = parent->directory;
  if (op.replace && sys::remove_entry(directory, parent->name) < 0 && errno != ENOENT) {
    return fail("unlinkat", path);
  }
  if (sys::make_entry_link(op.target.data, directory, parent->name) < 0 && errno != EEXIST) {
    return fail("symlinkat", path);
  }
  return kOk;
}

}  // namespace tsrunc::engine
