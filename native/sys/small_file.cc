#include "sys/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

#include "sys/unique_fd.h"

namespace tsrunc::sys {
namespace {

[[nodiscard]] ssize_t read_retrying(int fd, void* data, size_t size) noexcept {
  for (;;) {
    const ssize_t got = ::read(fd, data, size);
    if (got >= 0 || errno != EINTR) {
      return got;
    }
  }
}

[[nodiscard]] UniqueFd open_for_reading(int dir, const char* path) noexcept {
  for (;;) {
    UniqueFd fd(::openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (fd.valid() || errno != EINTR) {
      return fd;
    }
  }
}

}  // namespace

Result<size_t> read_file(int dir, const char* path, char* buffer, size_t size) noexcept {
  const UniqueFd fd = open_for_reading(dir, path);
  if (!fd.valid()) {
    return fail("open", path);
  }
  size_t length = 0;
  for (;;) {
    const ssize_t got = read_retrying(fd.get(), buffer + length, size - length);
    if (got < 0) {
      return fail("read", path);
    }
    if (got == 0) {
      buffer[length] = 0;
      return length;
    }
    length += static_cast<size_t>(got);
    if (length == size) {
      return fail(EFBIG, "read", path, nullptr);
    }
  }
}

Result<size_t> read_record(int dir, const char* path, char* buffer, size_t size) noexcept {
  const UniqueFd fd = open_for_reading(dir, path);
  if (!fd.valid()) {
    return fail("open", path);
  }
  const ssize_t got = read_retrying(fd.get(), buffer, size);
  if (got < 0) {
    return fail("read", path);
  }
  const auto length = static_cast<size_t>(got);
  if (length == size) {
    return fail(EFBIG, "read", path, nullptr);
  }
  buffer[length] = 0;
  return length;
}

Failure read_whole(int dir, const char* path, Array<char>& out) noexcept {
  const UniqueFd fd = open_for_reading(dir, path);
  if (!fd.valid()) {
    return fail("open", path);
  }
  for (;;) {
    // Most of these files have some ten or some hundred bytes.
    constexpr size_t kLeast = 512;
    const size_t at = out.size();
    const size_t piece = at > kLeast ? at : kLeast;
    out.resize(at + piece);
    const ssize_t got = read_retrying(fd.get(), out.data() + at, piece);
    out.resize(at + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got < 0) {
      return fail("read", path);
    }
    if (got == 0) {
      return kOk;
    }
  }
}

Failure read_exactly(int fd, void* data, size_t size, const char* path) noexcept {
  auto* bytes = static_cast<uint8_t*>(data);
  for (size_t done = 0; done < size;) {
    const ssize_t got = read_retrying(fd, bytes + done, size - done);
    if (got < 0) {
      return fail("read", path);
    }
    if (got == 0) {
      return fail(EIO, "read", path, "the file is shorter than it was");
    }
    done += static_cast<size_t>(got);
  }
  return kOk;
}

Failure write_all(int fd, const void* data, size_t size, const char* path) noexcept {
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (size_t done = 0; done < size;) {
    const ssize_t written = ::write(fd, bytes + done, size - done);
    if (written < 0 && errno != EINTR) {
      return fail("write", path);
    }
    done += written > 0 ? static_cast<size_t>(written) : 0;
  }
  return kOk;
}

}  // namespace tsrunc::sys
