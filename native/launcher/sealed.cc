#include "launcher/sealed.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

// Linux 6.3; absent from the headers of older systems.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace tsrunc::launcher {
namespace {

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

sys::Result<sys::UniqueFd> sealed_executable(const char* path) {
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
