#include "addon/seccomp_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "addon/sha256.h"
#include "sys/kernel.h"
#include "sys/private_file.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::addon {
namespace {

using sys::UniqueFd;

constexpr char kDirectory[] = "/~seccomp";
constexpr size_t kMostEntries = 64;

// A file as it lies on disk: a package that is upgraded gives it another inode and time.
struct FileId {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t seconds = 0;
  int64_t nanoseconds = 0;

  bool operator==(const FileId&) const = default;
};

// The start of an entry; the program follows. Written and read on one machine.
struct Header {
  char magic[16] = "tsrunc-seccomp1";
  Sha256::Digest key{};
  Sha256::Digest checksum{};  // of the whole entry with zeros here
  FileId library;
  char library_path[256] = {};
  uint32_t instructions = 0;
  uint32_t reserved = 0;
};
static_assert(sizeof(Header) == 16 + 32 + 32 + 40 + 256 + 8 && std::is_trivially_copyable_v<Header>);

[[nodiscard]] bool identify(const char* path, FileId& out) {
  struct stat about {};
  if (::stat(path, &about) != 0) {
    return false;
  }
  out = {about.st_dev, about.st_ino, static_cast<uint64_t>(about.st_size), about.st_mtim.tv_sec,
         about.st_mtim.tv_nsec};
  return true;
}

[[nodiscard]] bool hash_key(const SeccompCacheKey& key, Sha256::Digest& out) {
  utsname kernel{};
  FileId compiler;
  if (::uname(&kernel) != 0 || !identify(key.compiler.c_str(), compiler)) {
    return false;
  }
  // Fixed lengths first, so that no two different inputs are the same bytes.
  out = Sha256()
            .add(Header().magic, sizeof Header::magic)
            .add(kernel.release, sizeof kernel.release)
            .add(kernel.machine, sizeof kernel.machine)
            .add(&compiler, sizeof compiler)
            .add(key.request, key.request_size)
            .finish();
  return true;
}

[[nodiscard]] Sha256::Digest checksum_of(Header header, const void* program, size_t size) {
  header.checksum = {};
  return Sha256().add(&header, sizeof header).add(program, size).finish();
}

[[nodiscard]] std::string name_of(const Sha256::Digest& key) {
  std::string name;
  for (const uint8_t byte : key) {
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 15];
  }
  return name;
}

// The cache's directory if it is the caller's alone, else nothing.
[[nodiscard]] UniqueFd open_directory(const std::string& root) {
  UniqueFd fd(::open((root + kDirectory).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about {};
  if (!fd.valid() || ::fstat(fd.get(), &about) != 0 || !sys::is_private(about, S_IFDIR)) {
    return {};
  }
  return fd;
}

[[nodiscard]] bool read_entry(int fd, const Sha256::Digest& key, std::vector<sock_filter>& out) {
  struct stat about {};
  Header header;
  if (::fstat(fd, &about) != 0 || !sys::is_private(about, S_IFREG) || about.st_nlink != 1 ||
      about.st_size < static_cast<off_t>(sizeof header) ||
      sys::read_exactly(fd, &header, sizeof header, nullptr)) {
    return false;
  }
  const size_t size = static_cast<size_t>(about.st_size) - sizeof header;
  if (std::memcmp(header.magic, Header().magic, sizeof header.magic) != 0 || header.key != key ||
      header.instructions == 0 || header.instructions > BPF_MAXINSNS ||
      size != header.instructions * sizeof(sock_filter)) {
    return false;
  }
  std::vector<sock_filter> program(header.instructions);
  if (sys::read_exactly(fd, program.data(), size, nullptr) ||
      checksum_of(header, program.data(), size) != header.checksum) {
    return false;
  }
  FileId library;
  if (header.library_path[sizeof header.library_path - 1] != 0 || !identify(header.library_path, library) ||
      library != header.library) {
    return false;
  }
  out = std::move(program);
  return true;
}

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

// Removes the oldest entries until there is room for one more.
void make_room(int directory) {
  for (;;) {
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseDirectory> stream(copy < 0 ? nullptr : ::fdopendir(copy));
    if (stream == nullptr) {
      return;
    }
    size_t count = 0;
    std::string oldest;
    timespec since{};
    while (const dirent* entry = ::readdir(stream.get())) {
      struct stat about {};
      if (entry->d_name[0] == '.' || ::fstatat(directory, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        continue;
      }
      ++count;
      const timespec& time = about.st_mtim;
      if (oldest.empty() || time.tv_sec < since.tv_sec ||
          (time.tv_sec == since.tv_sec && time.tv_nsec < since.tv_nsec)) {
        oldest = entry->d_name;
        since = time;
      }
    }
    if (count < kMostEntries || ::unlinkat(directory, oldest.c_str(), 0) != 0) {
      return;
    }
  }
}

// The entry under its name, whole. One that was there and was not believed gives way.
void link_entry(int directory, int file, const std::string& name) {
  const sys::FdPath path(file);
  for (int tries = 0; tries < 2; ++tries) {
    if (::linkat(AT_FDCWD, path.text, directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0 || errno != EEXIST) {
      return;
    }
    if (::unlinkat(directory, name.c_str(), 0) != 0) {
      return;
    }
  }
}

}  // namespace

std::vector<sock_filter> find_program(const SeccompCacheKey& key) {
  std::vector<sock_filter> program;
  const UniqueFd directory = open_directory(key.root);
  Sha256::Digest digest;
  if (!directory.valid() || !hash_key(key, digest)) {
    return program;
  }
  // O_NONBLOCK: a FIFO must not keep a create waiting.
  const UniqueFd file(::openat(directory.get(), name_of(digest).c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.valid() && !read_entry(file.get(), digest, program)) {
    program.clear();
  }
  return program;
}

void keep_program(const SeccompCacheKey& key, const std::string& library, const uint8_t* program,
                  size_t size) {
  Header header;
  if (library.empty() || library.size() >= sizeof header.library_path ||
      !identify(library.c_str(), header.library) || !hash_key(key, header.key)) {
    return;
  }
  std::memcpy(header.library_path, library.c_str(), library.size());
  header.instructions = static_cast<uint32_t>(size / sizeof(sock_filter));
  header.checksum = checksum_of(header, program, size);
  // The first container of a root directory finds neither.
  (void)::mkdir(key.root.c_str(), S_IRWXU);
  (void)::mkdir((key.root + kDirectory).c_str(), S_IRWXU);
  const UniqueFd directory = open_directory(key.root);
  if (!directory.valid()) {
    return;
  }
  make_room(directory.get());
  const UniqueFd file(::openat(directory.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.valid() || sys::write_all(file.get(), &header, sizeof header, nullptr) ||
      sys::write_all(file.get(), program, size, nullptr)) {
    return;
  }
  link_entry(directory.get(), file.get(), name_of(header.key));
}

}  // namespace tsrunc::addon
