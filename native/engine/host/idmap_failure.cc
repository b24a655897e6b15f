#include "engine/host/idmap_failure.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>

#include <cstring>

#include "engine/host/mount_rows.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::Result;
using sys::Text;
using sys::UniqueFd;

// mount_setattr(2) "ID-mapped mounts": since which kernel a file system can be mapped.
struct Support {
  const char* type;
  const char* since;
};
constexpr Support kSupport[] = {
    {"ext4", "5.12"},  {"vfat", "5.12"},    {"xfs", "5.12"},   {"btrfs", "5.15"},
    {"ntfs3", "5.15"}, {"f2fs", "5.18"},    {"erofs", "5.19"}, {"tmpfs", "6.3"},
    {"ceph", "6.7"},   {"squashfs", "6.2"}, {"fuse", "6.12"},  {"hugetlbfs", "6.9"},
};

const char* supported_since(const char* type) noexcept {
  for (const Support& row : kSupport) {
    if (std::strcmp(row.type, type) == 0) {
      return row.since;
    }
  }
  return nullptr;
}

bool has_option(const char* options, const char* wanted) noexcept {
  const size_t length = std::strlen(wanted);
  for (const char* at = options; at != nullptr; at = std::strchr(at, ',')) {
    at += *at == ',' ? 1 : 0;
    if (std::strncmp(at, wanted, length) == 0 && (at[length] == ',' || at[length] == 0)) {
      return true;
    }
  }
  return false;
}

// The source as the kernel sees it: the mount that it is on, and its path without links.
struct Source {
  uint64_t mount = 0;
  char path[PATH_MAX] = {};
};

bool look_up(int process, const char* path, Source& out) noexcept {
  Result<UniqueFd> fd = sys::open_host(path, O_PATH);
  if (!fd.ok() || !find_mount_id(process, fd->get(), out.mount)) {
    return false;
  }
  const ssize_t length = ::readlink(sys::FdPath(fd->get()).text, out.path, sizeof out.path - 1);
  return length > 0;
}

// Whether this mount alone is what the kernel refuses.
bool is_refused(const MountRow& row, int user_namespace) noexcept {
  const UniqueFd tree(
      ::open_tree(AT_FDCWD, row.path, static_cast<unsigned>(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  return tree.valid() && set_id_map(tree.get(), user_namespace, false) != 0;
}

// The mount of the tree that cannot be mapped, or nullptr where it is not found. Later rows lie on top.
const MountRow* find_culprit(const MountRows& rows, const Source& source, bool recursive,
                             int user_namespace) {
  const MountRow* top = nullptr;
  for (size_t i = rows.size(); i-- > 0;) {
    const MountRow& row = rows[i];
    if (row.id == source.mount) {
      top = &row;
    }
  }
  if (!recursive || (top != nullptr && is_refused(*top, user_namespace))) {
    return top;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (at_or_below(rows[i].path, source.path) && is_refused(rows[i], user_namespace)) {
      return &rows[i];
    }
  }
  return nullptr;
}

// "the file system of type T [(mounted at P)] "
Text& name_mount(Text& text, const MountRow& row, const char* source) {
  text.add("the file system of type \"").add(row.type).add("\"");
  if (std::strcmp(row.path, source) != 0 && at_or_below(row.path, source)) {
    text.add(" at ").add(row.path);
  }
  return text.add(" ");
}

void tell_unsupported(Text& text, const MountRow& row, const char* source) {
  text.add("invalid argument: ");
  name_mount(text, row, source).add("cannot be id-mapped by this kernel");
  if (const char* since = supported_since(row.type); since != nullptr) {
    text.add(" (Linux has that for it since ").add(since).add(")");
  }
  text.add("; take a source on another file system, or leave the mapping out");
}

void tell_forbidden(Text& text, const MountRow& row, const char* source) {
  text.add("operation not permitted: ");
  if (has_option(row.options, "idmapped")) {
    text.add(
        "the source is an id-mapped mount already, and a mount is mapped only once; take the mount that "
        "it was made from as the source");
    return;
  }
  name_mount(text, row, source)
      .add("belongs to another user namespace than tsrunc's; only who has CAP_SYS_ADMIN over it can map it");
}

}  // namespace

int set_id_map(int tree, int user_namespace, bool recursive) noexcept {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(user_namespace);
  const unsigned flags = AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
  return ::mount_setattr(tree, "", flags, &attributes, sizeof attributes);
}

Failure explain_idmap_failure(HostContext& context, const wire::MapTree& op, int code) {
  const Failure plain = fail(code, "mount_setattr", op.source.data, nullptr);
  Source source;
  MountRows rows;
  const Result<UniqueFd> self = sys::open_host("/proc/self", O_PATH | O_DIRECTORY);
  if (!self.ok() || !look_up(self->get(), op.source.data, source) || rows.load(self->get())) {
    return plain;
  }
  const MountRow* culprit = find_culprit(rows, source, op.recursive, context.id_map.get());
  if (culprit == nullptr || (code != EINVAL && code != EPERM)) {
    return plain;
  }
  Text text(context.detail);
  if (code == EINVAL) {
    tell_unsupported(text, *culprit, source.path);
  } else {
    tell_forbidden(text, *culprit, source.path);
  }
  return fail(code, "mount_setattr", op.source.data, context.detail);
}

}  // namespace tsrunc::engine
