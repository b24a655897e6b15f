// New file systems: fsopen, fsconfig, fsmount, move_mount; mount(2) where a value is too long for fsconfig.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>

#include "engine/init/copy_up.h"
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

// The file system's own words on what it did not like: messages "e text\n", read from the fd (fsopen(2)).
const char* read_complaint(InitContext& context, int fs) noexcept {
  char line[512];
  sys::Text text(context.detail);
  while (true) {
    const ssize_t got = ::read(fs, line, sizeof line);
    if (got <= 0) {
      break;
    }
    size_t length = static_cast<size_t>(got);
    while (length > 0 && line[length - 1] == '\n') {
      --length;
    }
    if (length > 2 && line[0] == 'e') {
      text.add(text.size() == 0 ? "" : "; ").add(line + 2, length - 2);
    }
  }
  return text.size() == 0 ? nullptr : context.detail;
}

Failure complain(InitContext& context, int fs, const char* call, const char* path) noexcept {
  const int code = errno;
  return fail(code, call, path, read_complaint(context, fs));
}

// File systems that every mount shows the same instance of have their label already; SELinux says so only in
// the kernel's log.
Failure refuse_label(const wire::MountFs& op, const Failure& failure) noexcept {
  if (op.label.empty() || failure.detail != nullptr || (failure.code != EINVAL && failure.code != EBUSY)) {
    return failure;
  }
  return fail(
      failure.code, failure.call, failure.path,
      "SELinux cannot give it the label of linux.mountLabel: the kernel has one instance of this file "
      "system for all mounts, with its own label");
}

Failure set_option(InitContext& context, int fs, const char* option, const char* path) noexcept {
  const char* equals = std::strchr(option, '=');
  char key[256];
  sys::Text text(key);
  text.add(option, equals == nullptr ? std::strlen(option) : static_cast<size_t>(equals - option));
  const int result = equals == nullptr ? ::fsconfig(fs, FSCONFIG_SET_FLAG, key, nullptr, 0)
                                       : ::fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
  return result < 0 ? complain(context, fs, "fsconfig", path) : kOk;
}

// runc and crun: a tmpfs without a mode of its own looks like the directory that it covers.
Failure inherit_mode(int fs, int destination, const char* path) noexcept {
  struct stat covered {};
  if (::fstat(destination, &covered) < 0) {
    return fail("fstat", path);
  }
  char mode[8];
  sys::Text(mode).add(covered.st_mode & 07777U, 8);
  return ::fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode, 0) < 0 ? fail("fsconfig", path) : kOk;
}

Result<UniqueFd> make_filesystem(InitContext& context, const wire::MountFs& op, int destination) noexcept {
  const char* path = op.destination.data;
  UniqueFd fs(::fsopen(op.fstype.data, FSOPEN_CLOEXEC));
  if (!fs.valid()) {
    const bool unknown = errno == ENODEV;
    sys::Text(context.suffix).add("/type");
    return fail(errno, "fsopen", op.fstype.data,
                unknown ? "no such device: the kernel does not know this file system type" : nullptr);
  }
  if (!op.source.empty() && ::fsconfig(fs.get(), FSCONFIG_SET_STRING, "source", op.source.data, 0) < 0) {
    return complain(context, fs.get(), "fsconfig", path);
  }
  for (uint32_t i = 0; i < op.super_flags.count; ++i) {
    TSRUNC_TRY(set_option(context, fs.get(), op.super_flags.items[i], path));
  }
  if (op.inherit_mode) {
    TSRUNC_TRY(inherit_mode(fs.get(), destination, path));
  }
  for (uint32_t i = 0; i < op.options.count; ++i) {
    if (Failure failure = set_option(context, fs.get(), op.options.items[i], path); failure) {
      // One word of config.json may hold several options; then the word is named.
      if (i < op.words.count) {
        sys::Text(context.suffix).add("/options/").add(uint64_t{op.words.items[i]});
      }
      return failure;
    }
  }
  TSRUNC_TRY(set_label(context, fs.get(), op.label, path));
  if (::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    return refuse_label(op, complain(context, fs.get(), "fsconfig", path));
  }
  UniqueFd mount(::fsmount(fs.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(op.attributes)));
  if (!mount.valid()) {
    return complain(context, fs.get(), "fsmount", path);
  }
  return mount;
}

// mount(2) of a file system needs a path; the one of the verified fd in the host's /proc, which is still
// there.
Failure mount_legacy(InitContext& context, const wire::MountFs& op, const Place& destination) noexcept {
  const char* path = op.destination.data;
  TSRUNC_TRY(check_cover(std::strcmp(op.fstype.data, "proc") == 0, destination, path));
  if (::mount(op.source.data, sys::FdPath(destination.fd.get()).text, op.fstype.data, op.legacy_flags,
              op.legacy_data.data) < 0) {
    return fail("mount", path);
  }
  context.kept.drop();
  Result<UniqueFd> mounted = open_in_root(context, path);
  if (!mounted.ok()) {
    return mounted.failure();
  }
  return set_propagation(mounted->get(), op.propagation, path);
}

// A proc or sysfs must lie on a real directory: behind a link of the image the labels and limits that are
// written there later would go astray (CVE-2019-19921).
Result<Place> open_destination(InitContext& context, const wire::MountFs& op) noexcept {
  const char* path = op.destination.data;
  if (std::strcmp(op.fstype.data, "proc") == 0 || std::strcmp(op.fstype.data, "sysfs") == 0) {
    Result<UniqueFd> strict =
        sys::openat2(context.root.get(), path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
    if (!strict.ok() && strict.failure().code != ENOENT) {
      const bool link = strict.failure().code == ELOOP;
      return fail(strict.failure().code, "openat2", path,
                  link ? "the destination is a symbolic link; this file system is only mounted on a directory"
                       : strict.failure().detail);
    }
    if (strict.ok()) {
      return Place{std::move(*strict)};
    }
  }
  return ensure_directory(context, path, 0755);
}

}  // namespace

Failure run(InitContext& context, const wire::MountFs& op) noexcept {
  const char* path = op.destination.data;
  Result<Place> destination = open_destination(context, op);
  if (!destination.ok()) {
    return destination.failure();
  }
  if (op.legacy) {
    return mount_legacy(context, op, *destination);
  }
  Result<UniqueFd> mount = make_filesystem(context, op, destination->fd.get());
  if (!mount.ok()) {
    return mount.failure();
  }
  if (op.copy_up) {
    TSRUNC_TRY(copy_up(context, path, mount->get()));
  }
  TSRUNC_TRY(set_propagation(mount->get(), op.propagation, path));
  return attach_checked(context, mount->get(), *destination, path);
}

Failure run(InitContext& context, const wire::Remount& op) noexcept {
  Result<UniqueFd> mounted = open_in_root(context, op.destination.data);
  if (!mounted.ok()) {
    return mounted.failure();
  }
  if (::mount(nullptr, sys::FdPath(mounted->get()).text, nullptr, op.flags | MS_REMOUNT,
              op.data.empty() ? nullptr : op.data.data) < 0) {
    return fail("mount", op.destination.data);
  }
  return kOk;
}

}  // namespace tsrunc::engine
