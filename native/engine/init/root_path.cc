#include "engine/init/root_path.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <climits>
#include <cstring>

#include "sys/entry.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::Result;
using sys::UniqueFd;

constexpr uint64_t kResolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
// As many links as the kernel follows in one path (path_resolution(7)).
constexpr int kMaxLinks = 40;

// Where the components that do not exist yet begin: `existing` is resolved, `rest` points behind it.
struct Prefix {
  UniqueFd existing;
  size_t length = 0;  // bytes of the path that `existing` stands for
};

// The longest beginning of `path` that exists.
Result<Prefix> longest_existing(const InitContext& context, const char* path, char* buffer) noexcept {
  size_t length = std::strlen(path);
  std::memcpy(buffer, path, length + 1);
  for (;;) {
    while (length > 0 && buffer[length - 1] == '/') {
      buffer[--length] = 0;
    }
    Result<UniqueFd> fd = sys::openat2(context.root.get(), length == 0 ? "/" : buffer, O_PATH, kResolve);
    if (fd.ok()) {
      return Prefix{std::move(*fd), length};
    }
    if (fd.failure().code != ENOENT || length == 0) {
      return fail(fd.failure().code, "openat2", path, nullptr);
    }
    while (length > 0 && buffer[length - 1] != '/') {
      buffer[--length] = 0;
    }
  }
}

struct Component {
  const char* name;
  size_t length;
  bool last;
};

Component next_component(const char* rest) noexcept {
  while (*rest == '/') {
    ++rest;
  }
  const size_t length = std::strcspn(rest, "/");
  const char* behind = rest + length;
  while (*behind == '/') {
    ++behind;
  }
  return {rest, length, *behind == 0};
}

// A dangling link stands at `component`: replaces it in the path by its target, so that the walk starts again
// and makes what the link points to (images with /etc/resolv.conf -> ../run/… depend on it).
[[gnu::noinline]] Failure follow_dangling(int directory, const char* name, const char* path,
                                          const char* component_start, const char* rest, char* out,
                                          size_t size) noexcept {
  char target[PATH_MAX];
  const ssize_t length = sys::read_entry_link(directory, name, target, sizeof target - 1);
  if (length < 0) {
    return fail("readlinkat", path);
  }
  target[length] = 0;
  sys::Text text(out, size);
  if (target[0] != '/') {
    text.add(path, static_cast<size_t>(component_start - path));
  }
  text.add(target).add("/").add(rest);
  return text.cut() ? fail(ENAMETOOLONG, "readlinkat", path, nullptr) : sys::kOk;
}

enum class Last { kDirectory, kFile };

// What was asked for may have been a mount: that its mount point was missing is the news then.
Failure cannot_make(const char* call, const char* path) noexcept {
  const char* detail = nullptr;
  if (errno == EACCES) {
    detail =
        "permission denied: it does not exist in the root, and the container's root user may not make it "
        "there";
  } else if (errno == EROFS) {
    detail = "read-only file system: it does not exist in the root and cannot be made there";
  }
  return fail(errno, call, path, detail);
}

Result<UniqueFd> make_last_file(int directory, const char* name, const char* path) noexcept {
  // O_EXCL: never through a link, never an existing file.
  const UniqueFd made = sys::open_entry(directory, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (!made.valid() && errno != EEXIST) {
    return cannot_make("create", path);
  }
  UniqueFd fd = sys::open_entry(directory, name, O_PATH);
  if (!fd.valid()) {
    return fail("open", path);
  }
  return fd;
}

Result<UniqueFd> make_directory(int directory, const char* name, mode_t mode, const char* path) noexcept {
  if (sys::make_entry_directory(directory, name, mode) < 0 && errno != EEXIST) {
    return cannot_make("mkdirat", path);
  }
  UniqueFd fd = sys::open_entry(directory, name, O_PATH);
  if (!fd.valid()) {
    return fail("open", path);
  }
  return fd;
}

// 0: it cannot be told; errno says why.
mode_t type_of(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) < 0 ? 0 : status.st_mode & S_IFMT;
}

// One walk. `again` is set when a dangling link was met, and `next_path`, if there is one, filled in.
[[gnu::noinline]] Result<UniqueFd> walk(const InitContext& context, const char* path, Last last, mode_t mode,
                                        char* next_path, size_t size, bool& again) noexcept {
  char buffer[PATH_MAX];
  if (std::strlen(path) >= sizeof buffer) {
    return fail(ENAMETOOLONG, "openat2", path, nullptr);
  }
  Result<Prefix> prefix = longest_existing(context, path, buffer);
  if (!prefix.ok()) {
    return prefix.failure();
  }
  UniqueFd current = std::move(prefix->existing);
  const char* rest = path + prefix->length;
  for (Component part = next_component(rest); part.length > 0; part = next_component(rest)) {
    char name[NAME_MAX + 1];
    if (part.length > NAME_MAX) {
      return fail(ENAMETOOLONG, "mkdirat", path, nullptr);
    }
    std::memcpy(name, part.name, part.length);
    name[part.length] = 0;
    rest = part.name + part.length;
    if (std::strcmp(name, ".") == 0) {
      continue;
    }
    // Behind a component that was just made ".." could only undo it; nobody writes that by accident.
    if (std::strcmp(name, "..") == 0) {
      return fail(EINVAL, "mkdirat", path, "\"..\" behind a directory that does not exist");
    }
    const bool file = part.last && last == Last::kFile;
    Result<UniqueFd> made =
        file ? make_last_file(current.get(), name, path) : make_directory(current.get(), name, mode, path);
    if (!made.ok()) {
      return made.failure();
    }
    const mode_t type = type_of(made->get());
    if (type == 0) {
      return fail("fstat", path);
    }
    if (type == S_IFLNK) {
      again = true;
      const Failure failure =
          next_path == nullptr ? sys::kOk
                               : follow_dangling(current.get(), name, path, part.name, rest, next_path, size);
      return failure ? Result<UniqueFd>(failure) : UniqueFd();
    }
    if (!file && type != S_IFDIR) {
      return fail(ENOTDIR, "mkdirat", path, nullptr);
    }
    current = std::move(*made);
  }
  return current;
}

// The way on where a dangling link was met: rare, and in a frame of its own, because each buffer of a frame
// costs a page of the container's memory when it is touched.
[[gnu::noinline]] Result<UniqueFd> ensure_through_links(const InitContext& context, const char* path,
                                                        Last last, mode_t mode) noexcept {
  char first[PATH_MAX];
  char second[PATH_MAX];
  const char* current = path;
  for (int links = 0; links < kMaxLinks; ++links) {
    char* next = current == first ? second : first;
    bool again = false;
    Result<UniqueFd> fd = walk(context, current, last, mode, next, sizeof first, again);
    if (!fd.ok()) {
      // The failure may name a buffer of this frame.
      return fail(fd.failure().code, fd.failure().call, path, fd.failure().detail);
    }
    if (!again) {
      return fd;
    }
    current = next;
  }
  return fail(ELOOP, "openat2", path, nullptr);
}

Result<UniqueFd> ensure(InitContext& context, const char* path, Last last, mode_t mode) noexcept {
  bool again = false;
  Result<UniqueFd> fd = walk(context, path, last, mode, nullptr, 0, again);
  if (again) {
    return ensure_through_links(context, path, last, mode);
  }
  return fd;
}

}  // namespace

Result<UniqueFd> open_in_root(const InitContext& context, const char* path, uint64_t flags) noexcept {
  return sys::openat2(context.root.get(), path, flags, kResolve);
}

Result<UniqueFd> open_in_root(const InitContext& context, const char* path) noexcept {
  return open_in_root(context, path, O_PATH);
}

Result<UniqueFd> ensure_directory(InitContext& context, const char* path, mode_t mode) noexcept {
  Result<UniqueFd> fd = ensure(context, path, Last::kDirectory, mode);
  if (!fd.ok()) {
    return fd;
  }
  const mode_t type = type_of(fd->get());
  if (type != S_IFDIR) {
    return type == 0 ? fail("fstat", path) : fail(ENOTDIR, "open", path, nullptr);
  }
  return fd;
}

Result<UniqueFd> ensure_file(InitContext& context, const char* path) noexcept {
  return ensure(context, path, Last::kFile, 0755);
}

Result<Parent> ensure_parent(InitContext& context, const char* path) noexcept {
  const char* slash = std::strrchr(path, '/');
  const char* name = slash == nullptr ? path : slash + 1;
  if (*name == 0 || std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) {
    return fail(EINVAL, "open", path, "the path does not end in a name");
  }
  char directory[PATH_MAX];
  sys::Text text(directory);
  text.add(path, static_cast<size_t>(name - path)).add("/");
  if (text.cut()) {
    return fail(ENAMETOOLONG, "open", path, nullptr);
  }
  Result<UniqueFd> fd = ensure_directory(context, directory, 0755);
  if (!fd.ok()) {
    return fail(fd.failure().code, fd.failure().call, path, fd.failure().detail);
  }
  return Parent{std::move(*fd), name};
}

Result<UniqueFd> ensure_itself(InitContext& context, const char* path, bool directory) noexcept {
  Result<Parent> parent = ensure_parent(context, path);
  if (!parent.ok()) {
    return parent.failure();
  }
  const int at = parent->directory.get();
  return directory ? make_directory(at, parent->name, 0755, path) : make_last_file(at, parent->name, path);
}

}  // namespace tsrunc::engine
