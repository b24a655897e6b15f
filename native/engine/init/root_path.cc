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

enum class Last { kDirectory, kFile };

// Where the components that do not exist yet begin: `existing` is resolved, `rest` points behind it.
struct Prefix {
  UniqueFd existing;
  size_t length = 0;  // bytes of the path that `existing` stands for
};

// The longest beginning of `path` that exists.
Result<Prefix> longest_existing(const InitContext& context, const char* path, char* buffer) noexcept {
  size_t length = std::strlen(path);
  std::memcpy(buffer, path, length + 1);
  // The last component as it is: with O_DIRECTORY the kernel would mount what autofs has there.
  uint64_t flags = O_PATH;
  for (;;) {
    while (length > 0 && buffer[length - 1] == '/') {
      buffer[--length] = 0;
    }
    Result<UniqueFd> fd = sys::openat2(context.root.get(), length == 0 ? "/" : buffer, flags, kResolve);
    if (fd.ok()) {
      return Prefix{std::move(*fd), length};
    }
    flags |= O_DIRECTORY;
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

Result<Place> make_last_file(int directory, const char* name, const char* path) noexcept {
  // O_EXCL: never through a link, never an existing file.
  Place place{sys::open_entry(directory, name, O_CREAT | O_EXCL | O_WRONLY, 0644), true};
  if (!place.fd.valid() && errno != EEXIST) {
    return cannot_make("create", path);
  }
  if (!place.fd.valid()) {
    place = {sys::open_entry(directory, name, O_PATH), false};
  }
  return place.fd.valid() ? Result<Place>(std::move(place)) : fail("open", path);
}

Result<Place> make_directory(int directory, const char* name, mode_t mode, const char* path) noexcept {
  const bool made = sys::make_entry_directory(directory, name, mode) == 0;
  if (!made && errno != EEXIST) {
    return cannot_make("mkdirat", path);
  }
  Place place{made ? sys::open_made_directory(directory, name) : sys::open_entry(directory, name, O_PATH),
              made};
  if (place.fd.valid()) {
    return place;
  }
  const bool exchanged = made && (errno == EXDEV || errno == ENOTDIR || errno == ENOENT);
  return fail(errno, "open", path,
              exchanged
                  ? "somebody has put something else into the place of the directory that was made there"
                  : nullptr);
}

// 0: it cannot be told; errno says why.
mode_t type_of(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) < 0 ? 0 : status.st_mode & S_IFMT;
}

// The bytes of a path before its last component, without slashes at their end.
size_t length_of_parent(const char* path, const char* name) noexcept {
  auto length = static_cast<size_t>(name - path);
  while (length > 0 && path[length - 1] == '/') {
    --length;
  }
  return length;
}

void keep(InitContext& context, UniqueFd directory, const char* path, const char* name) noexcept {
  context.kept.fd = std::move(directory);
  context.kept.path = path;
  context.kept.length = length_of_parent(path, name);
}

bool is_kept(const InitContext& context, const char* path, const char* name) noexcept {
  const KeptDirectory& kept = context.kept;
  return kept.fd.valid() && kept.length == length_of_parent(path, name) &&
         std::memcmp(kept.path, path, kept.length) == 0;
}

// The last component of a path that ends in a name; nullptr: it does not.
const char* last_name(const char* path) noexcept {
  const char* slash = std::strrchr(path, '/');
  const char* name = slash == nullptr ? path : slash + 1;
  return *name == 0 || std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0 ? nullptr : name;
}

// One walk. `again` is set when a dangling link was met, and `next_path`, if there is one, filled in.
[[gnu::noinline]] Result<Place> walk(InitContext& context, const char* path, Last last, mode_t mode,
                                     char* next_path, size_t size, bool& again) noexcept {
  char buffer[PATH_MAX];
  if (std::strlen(path) >= sizeof buffer) {
    return fail(ENAMETOOLONG, "openat2", path, nullptr);
  }
  Result<Prefix> prefix = longest_existing(context, path, buffer);
  if (!prefix.ok()) {
    return prefix.failure();
  }
  Place current{std::move(prefix->existing)};
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
    const int directory = current.fd.get();
    Result<Place> made =
        file ? make_last_file(directory, name, path) : make_directory(directory, name, mode, path);
    if (!made.ok()) {
      return made.failure();
    }
    const mode_t type = !made->made ? type_of(made->fd.get()) : file ? S_IFREG : S_IFDIR;
    if (type == 0) {
      return fail("fstat", path);
    }
    if (type == S_IFLNK) {
      again = true;
      const Failure failure = next_path == nullptr
                                  ? sys::kOk
                                  : follow_dangling(directory, name, path, part.name, rest, next_path, size);
      return failure ? Result<Place>(failure) : Place();
    }
    if (!file && type != S_IFDIR) {
      return fail(ENOTDIR, "mkdirat", path, nullptr);
    }
    if (part.last && made->made) {
      keep(context, std::move(current.fd), path, part.name);
    }
    current = std::move(*made);
  }
  return current;
}

// The way on where a dangling link was met: rare, and in a frame of its own, because each buffer of a frame
// costs a page of the container's memory when it is touched.
[[gnu::noinline]] Result<Place> ensure_through_links(InitContext& context, const char* path, Last last,
                                                     mode_t mode) noexcept {
  char first[PATH_MAX];
  char second[PATH_MAX];
  const char* current = path;
  for (int links = 0; links < kMaxLinks; ++links) {
    char* next = current == first ? second : first;
    bool again = false;
    Result<Place> place = walk(context, current, last, mode, next, sizeof first, again);
    // The failure and what is kept may name a buffer of this frame.
    context.kept.drop();
    if (!place.ok()) {
      return fail(place.failure().code, place.failure().call, path, place.failure().detail);
    }
    if (!again) {
      return place;
    }
    current = next;
  }
  return fail(ELOOP, "openat2", path, nullptr);
}

// Invalid: there is something already, or it cannot be made; the long way tells which and why.
Result<Place> make_in_kept(const InitContext& context, const char* path, Last last, mode_t mode) noexcept {
  const char* name = last_name(path);
  if (name == nullptr || !is_kept(context, path, name)) {
    return Place();
  }
  const int directory = context.kept.fd.get();
  Result<Place> place = last == Last::kFile ? make_last_file(directory, name, path)
                                            : make_directory(directory, name, mode, path);
  return place.ok() && place->made ? std::move(place) : Place();
}

Result<Place> ensure(InitContext& context, const char* path, Last last, mode_t mode) noexcept {
  Result<Place> place = make_in_kept(context, path, last, mode);
  if (place->fd.valid()) {
    return place;
  }
  bool again = false;
  place = walk(context, path, last, mode, nullptr, 0, again);
  if (again) {
    return ensure_through_links(context, path, last, mode);
  }
  return place;
}

}  // namespace

Result<UniqueFd> open_in_root(const InitContext& context, const char* path, uint64_t flags) noexcept {
  return sys::openat2(context.root.get(), path, flags, kResolve);
}

Result<UniqueFd> open_in_root(const InitContext& context, const char* path) noexcept {
  return open_in_root(context, path, O_PATH);
}

Result<Place> ensure_directory(InitContext& context, const char* path, mode_t mode) noexcept {
  Result<Place> place = ensure(context, path, Last::kDirectory, mode);
  if (!place.ok() || place->made) {
    return place;
  }
  const mode_t type = type_of(place->fd.get());
  if (type != S_IFDIR) {
    return type == 0 ? fail("fstat", path) : fail(ENOTDIR, "open", path, nullptr);
  }
  return place;
}

Result<Place> ensure_file(InitContext& context, const char* path) noexcept {
  return ensure(context, path, Last::kFile, 0755);
}

Result<Parent> ensure_parent(InitContext& context, const char* path) noexcept {
  const char* name = last_name(path);
  if (name == nullptr) {
    return fail(EINVAL, "open", path, "the path does not end in a name");
  }
  if (is_kept(context, path, name)) {
    return Parent{context.kept.fd.get(), name};
  }
  char directory[PATH_MAX];
  sys::Text text(directory);
  text.add(path, static_cast<size_t>(name - path)).add("/");
  if (text.cut()) {
    return fail(ENAMETOOLONG, "open", path, nullptr);
  }
  Result<Place> place = ensure_directory(context, directory, 0755);
  if (!place.ok()) {
    return fail(place.failure().code, place.failure().call, path, place.failure().detail);
  }
  keep(context, std::move(place->fd), path, name);
  return Parent{context.kept.fd.get(), name};
}

Result<Place> ensure_itself(InitContext& context, const char* path, bool directory) noexcept {
  Result<Parent> parent = ensure_parent(context, path);
  if (!parent.ok()) {
    return parent.failure();
  }
  return directory ? make_directory(parent->directory, parent->name, 0755, path)
                   : make_last_file(parent->directory, parent->name, path);
}

bool keeps_directory(wire::OpKind kind) noexcept {
  switch (kind) {
    case wire::OpKind::kBindDevice:
    case wire::OpKind::kMakeDevice:
    case wire::OpKind::kMakeDirectory:
    case wire::OpKind::kMakeSymlink:
    case wire::OpKind::kMountBind:
    case wire::OpKind::kMountFs:
      return true;
    default:
      return false;
  }
}

}  // namespace tsrunc::engine
