#include "engine/init/mount_tree.h"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include <cstring>

#include "engine/errno_text.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// What may be covered inside of /proc: files which only inform, and which lxcfs and the like replace. The
// list is what engines rely on with the peers; anything else in there decides about security.
constexpr const char* kProcMayBeCovered[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/net/dev",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

bool may_cover_proc(const char* path) noexcept {
  for (const char* allowed : kProcMayBeCovered) {
    if (std::strcmp(path, allowed) == 0) {
      return true;
    }
  }
  return false;
}

bool is_at_proc(const char* path) noexcept {
  return std::strcmp(path, "/proc") == 0;
}

}  // namespace

Failure set_attributes(int fd, uint64_t set, uint64_t clear, bool recursive, const char* path) noexcept {
  if (set == 0 && clear == 0) {
    return kOk;
  }
  mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  // mount_setattr(2): the access time modes are one field; to set one of them all of it has to be cleared.
  if (((set | clear) & MOUNT_ATTR__ATIME) != 0) {
    attributes.attr_clr |= MOUNT_ATTR__ATIME;
  }
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  if (::mount_setattr(fd, "", flags, &attributes, sizeof attributes) < 0) {
    return fail("mount_setattr", path);
  }
  return kOk;
}

Failure set_propagation(int fd, const wire::U32List& types, const char* path) noexcept {
  for (uint32_t i = 0; i < types.count; ++i) {
    mount_attr attributes{};
    attributes.propagation = types.items[i] & ~static_cast<uint32_t>(MS_REC);
    const unsigned flags = AT_EMPTY_PATH | ((types.items[i] & MS_REC) != 0 ? AT_RECURSIVE : 0U);
    if (::mount_setattr(fd, "", flags, &attributes, sizeof attributes) < 0) {
      return fail("mount_setattr", path);
    }
  }
  return kOk;
}

Failure attach(int tree, int destination, const char* path) noexcept {
  if (::move_mount(tree, "", destination, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    return fail("move_mount", path);
  }
  return kOk;
}

Failure attach(InitContext& context, int tree, const Place& destination, const char* path) noexcept {
  TSRUNC_TRY(attach(tree, destination.fd.get(), path));
  if (!destination.made) {
    context.kept.drop();
  }
  return kOk;
}

Failure check_cover(bool is_proc, const Place& destination, const char* path) noexcept {
  if (is_at_proc(path)) {
    return is_proc ? kOk
                   : fail(EPERM, "move_mount", path,
                          "operation not permitted: only a procfs may be mounted at /proc");
  }
  if (destination.made || may_cover_proc(path)) {
    return kOk;
  }
  struct statfs covered {};
  if (::fstatfs(destination.fd.get(), &covered) < 0) {
    return fail("fstatfs", path);
  }
  return covered.f_type == PROC_SUPER_MAGIC
             ? fail(EPERM, "move_mount", path, "operation not permitted: it would cover a part of /proc")
             : kOk;
}

Failure attach_checked(InitContext& context, int tree, const Place& destination, const char* path) noexcept {
  struct statfs source {};
  if (is_at_proc(path) && ::fstatfs(tree, &source) < 0) {
    return fail("fstatfs", path);
  }
  TSRUNC_TRY(check_cover(source.f_type == PROC_SUPER_MAGIC, destination, path));
  return attach(context, tree, destination, path);
}

Failure set_label(InitContext& context, int fs, const wire::Str& option, const char* path) noexcept {
  const char* equals = std::strchr(option.data, '=');
  if (equals == nullptr) {
    return kOk;
  }
  char key[16];
  sys::Text(key).add(option.data, static_cast<size_t>(equals - option.data));
  if (::fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0) == 0) {
    return kOk;
  }
  context.pointer = "/linux/mountLabel";
  const int code = errno;
  sys::Text text(context.detail);
  text.add(errno_text(code))
      .add(": the SELinux policy that is loaded does not take the label ")
      .add(equals + 1);
  return fail(code, "fsconfig", path, context.detail);
}

sys::Result<UniqueFd> clone_tree(int fd, bool recursive, const char* path) noexcept {
  const unsigned flags = AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  UniqueFd tree(::open_tree(fd, "", flags));
  if (!tree.valid()) {
    return fail("open_tree", path);
  }
  return tree;
}

}  // namespace tsrunc::engine
