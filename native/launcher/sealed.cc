#include "launcher/sealed.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "sys/text.h"

// Linux 6.3; absent from the headers of older systems.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace tsrunc::launcher {
namespace {

// What fsconfig(2) takes at most.
constexpr size_t kLongestOption = 256;
// An overlay without a writable layer has to have two. This one never has what the first one has not.
constexpr const char* kSecondLayer = "/dev";

constexpr unsigned kBase = MFD_CLOEXEC | MFD_ALLOW_SEALING;

// A kernel that does not know `wish` answers EINVAL and does without it.
[[nodiscard]] int create(const char* name, unsigned wish) noexcept {
  const int fd = ::memfd_create(name, kBase | wish);
  return fd < 0 && errno == EINVAL ? ::memfd_create(name, kBase) : fd;
}

[[nodiscard]] sys::Failure copy(int to, int from, off_t size, const char* path) noexcept {
  off_t done = 0;
  while (done < size) {
    const ssize_t sent = ::sendfile(to, from, &done, static_cast<size_t>(size - done));
    if (sent < 0 && errno != EINTR) {
      return sys::fail("sendfile", path);
    }
    if (sent == 0) {
      return sys::fail(EIO, "sendfile", path, "the file became shorter while it was copied");
    }
  }
  return sys::kOk;
}

}  // namespace

sys::Result<sys::UniqueFd> data_memfd(const char* name) {
  sys::UniqueFd fd(create(name, MFD_NOEXEC_SEAL));
  if (!fd.valid()) {
    return sys::fail("memfd_create");
  }
  return fd;
}

sys::Failure seal(int fd) {
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  return ::fcntl(fd, F_ADD_SEALS, kSeals) == 0 ? sys::kOk : sys::fail("fcntl", "F_ADD_SEALS");
}

sys::Result<sys::UniqueFd> sealed_bytes(const char* name, const void* data, size_t size) {
  auto fd = data_memfd(name);
  if (!fd.ok()) {
    return fd;
  }
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (size_t done = 0; done < size;) {
    const ssize_t written = ::pwrite(fd->get(), bytes + done, size - done, static_cast<off_t>(done));
    if (written < 0 && errno != EINTR) {
      return sys::fail("pwrite", "a memfd");
    }
    done += written > 0 ? static_cast<size_t>(written) : 0;
  }
  if (const sys::Failure failure = seal(fd->get()); failure) {
    return failure;
  }
  return fd;
}

namespace {

// Splits the absolute path of the file at `path`, which may be a link, into `directory` and its `name`.
// False: it has none that can stand in an option.
[[nodiscard]] bool split_path(const char* path, char* directory, size_t size, const char*& name) noexcept {
  const ssize_t length = ::readlink(path, directory, size);
  const size_t end = length > 0 ? static_cast<size_t>(length) : std::strlen(path);
  if (end >= size) {
    return false;
  }
  if (length <= 0) {
    std::memcpy(directory, path, end);
  }
  directory[end] = 0;
  char* slash = std::strrchr(directory, '/');
  if (*directory != '/' || slash == directory || std::strpbrk(directory, ":,\\") != nullptr) {
    return false;
  }
  *slash = 0;
  name = slash + 1;
  return true;
}

[[nodiscard]] bool same_file(const struct stat& one, const struct stat& other) noexcept {
  return S_ISREG(one.st_mode) && one.st_size == other.st_size && one.st_mtim.tv_sec == other.st_mtim.tv_sec &&
         one.st_mtim.tv_nsec == other.st_mtim.tv_nsec && one.st_ctim.tv_sec == other.st_ctim.tv_sec &&
         one.st_ctim.tv_nsec == other.st_ctim.tv_nsec;
}

}  // namespace

sys::UniqueFd overlaid_executable(const char* path) {
  char options[kLongestOption];
  const char* name = nullptr;
  struct stat own {};
  struct stat found {};
  if (!split_path(path, options, sizeof options, name) || ::stat(path, &own) != 0) {
    return {};
  }
  char lower[kLongestOption];
  if (sys::Text(lower).add(options).add(":").add(kSecondLayer).cut()) {
    return {};
  }
  const sys::UniqueFd context(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!context.valid() || ::fsconfig(context.get(), FSCONFIG_SET_STRING, "lowerdir", lower, 0) != 0 ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return {};
  }
  const sys::UniqueFd mount(
      ::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  struct statfs about {};
  if (!mount.valid() || ::fstatfs(mount.get(), &about) != 0 || (about.f_flags & ST_RDONLY) == 0) {
    return {};
  }
  sys::UniqueFd file(::openat(mount.get(), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  // Another one has been installed since this process began.
  if (!file.valid() || ::fstat(file.get(), &found) != 0 || !same_file(own, found)) {
    return {};
  }
  return file;
}

bool is_overlaid_copy(int fd, const char* path) {
  struct stat own {};
  struct stat found {};
  struct statfs about {};
  return ::stat(path, &own) == 0 && ::fstat(fd, &found) == 0 && same_file(own, found) &&
         ::fstatfs(fd, &about) == 0 && about.f_type == OVERLAYFS_SUPER_MAGIC &&
         (about.f_flags & ST_RDONLY) != 0;
}

sys::Result<sys::UniqueFd> sealed_executable(const char* path) {
  if (sys::UniqueFd file = overlaid_executable(path); file.valid()) {
    return file;
  }
  const sys::UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (!file.valid() || ::fstat(file.get(), &about) != 0) {
    return sys::fail("open", path);
  }
  sys::UniqueFd fd(create("tsrunc", MFD_EXEC));
  if (!fd.valid()) {
    // vm.memfd_noexec=2 refuses every executable memfd.
    return errno == EACCES ? sys::fail(EACCES, "memfd_create", path,
                                       "this host forbids executable memory files (sysctl vm.memfd_noexec=2)")
                           : sys::fail("memfd_create", path);
  }
  if (const sys::Failure failure = copy(fd.get(), file.get(), about.st_size, path); failure) {
    return failure;
  }
  if (const sys::Failure failure = seal(fd.get()); failure) {
    return failure;
  }
  return fd;
}

}  // namespace tsrunc::launcher
