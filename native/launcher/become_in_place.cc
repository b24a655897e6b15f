#include "launcher/become_in_place.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/prctl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sys/small_file.h"

namespace tsrunc::launcher {
namespace {

// The C library's own mmap would be the sanitizers', which take what it maps for new memory.
[[nodiscard]] void* map(uintptr_t at, size_t size, int protection, int flags, int fd,
                        size_t offset) noexcept {
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, fd, offset));
}

// mremap(2): what was mapped at `to` is gone in the same moment.
[[nodiscard]] bool move(void* from, size_t size, uintptr_t to) noexcept {
  return ::syscall(SYS_mremap, from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
         static_cast<long>(to);  // NOLINT(google-runtime-int): what syscall(2) returns
}

// Pages from `begin` to `end`, of the file from `offset` on.
struct Pages {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  size_t offset = 0;

  [[nodiscard]] size_t size() const noexcept { return end - begin; }
};

// This executable in memory, elf(5).
class Image {
 public:
  Image() noexcept : page_(static_cast<uintptr_t>(::getauxval(AT_PAGESZ))) {
    const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(::getauxval(AT_PHDR));
    const size_t count = ::getauxval(AT_PHNUM);
    if (headers == nullptr || count > headers_.size()) {
      return;
    }
    count_ = count;
    // The headers are at the file's offset 64, in its first segment, unless they say where they are.
    base_ = reinterpret_cast<uintptr_t>(headers) - sizeof(ElfW(Ehdr));
    for (size_t i = 0; i < count_; ++i) {
      headers_[i] = headers[i];
      if (headers_[i].p_type == PT_PHDR) {
        base_ = reinterpret_cast<uintptr_t>(headers) - headers_[i].p_vaddr;
      }
    }
  }

  [[nodiscard]] size_t count() const noexcept { return count_; }
  [[nodiscard]] const ElfW(Phdr) & header(size_t index) const noexcept { return headers_[index]; }

  // What of a segment is of the file. What is behind that is memory of nobody's.
  [[nodiscard]] Pages pages(const ElfW(Phdr) & segment) const noexcept {
    const uintptr_t begin = base_ + segment.p_vaddr;
    return {begin & ~(page_ - 1), (begin + segment.p_filesz + page_ - 1) & ~(page_ - 1),
            segment.p_offset & ~(page_ - 1)};
  }

  // ld(1), -z relro: read-only once the program has begun.
  [[nodiscard]] Pages relro() const noexcept {
    for (size_t i = 0; i < count_; ++i) {
      if (headers_[i].p_type == PT_GNU_RELRO) {
        const uintptr_t begin = base_ + headers_[i].p_vaddr;
        return {begin & ~(page_ - 1), (begin + headers_[i].p_memsz) & ~(page_ - 1), 0};
      }
    }
    return {};
  }

 private:
  std::array<ElfW(Phdr), 24> headers_;  // copied: their own page is exchanged too
  size_t count_ = 0;
  uintptr_t page_;
  uintptr_t base_ = 0;
};

// Code and constants. mmap(2), MAP_FIXED: what was mapped there is gone in the same moment. It may be what
// runs here.
[[nodiscard]] bool exchange_constant(const Pages& pages, ElfW(Word) flags, int program) noexcept {
  const int protection = (flags & PF_R ? PROT_READ : 0) | (flags & PF_X ? PROT_EXEC : 0);
  return map(pages.begin, pages.size(), protection, MAP_PRIVATE | MAP_FIXED, program, pages.offset) !=
         MAP_FAILED;
}

// Word by word: of what lies between objects a sanitizer's memcpy would not hear.
#if defined(__SANITIZE_ADDRESS__)
__attribute__((no_sanitize_address))
#endif
void copy(void* to, uintptr_t from, size_t size) noexcept {
  auto* out = static_cast<volatile uint64_t*>(to);
  const auto* in = reinterpret_cast<const uint64_t*>(from);
  for (size_t i = 0; i < size / sizeof *in; ++i) {
    out[i] = in[i];
  }
}

// Variables, where they are of the file (entry.cc): a copy, of no file. Nothing of the program's may be
// written between copy and move.
[[nodiscard]] bool exchange_variable(const Pages& pages, const Pages& relro) noexcept {
  void* fresh =
      map(0, pages.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (fresh == MAP_FAILED) {
    return false;
  }
  copy(fresh, pages.begin, pages.size());
  return move(fresh, pages.size(), pages.begin) &&
         (relro.size() == 0 ||
          ::mprotect(reinterpret_cast<void*>(relro.begin), relro.size(), PROT_READ) == 0);
}

// The fields of proc(5), /proc/PID/stat, that tell where things lie in memory.
enum Field : size_t {
  kState = 3,
  kStartCode = 26,
  kEndCode = 27,
  kStartStack = 28,
  kStartData = 45,
  kEndData = 46,
  kStartBrk = 47,
  kArgStart = 48,
  kArgEnd = 49,
  kEnvStart = 50,
  kEnvEnd = 51,
};

[[nodiscard]] bool read_layout(prctl_mm_map& out) noexcept {
  constexpr unsigned kTen = 10;
  std::array<char, 1024> text{};
  const auto size = sys::read_file(AT_FDCWD, "/proc/self/stat", text.data(), text.size());
  // The second field is the name, which can hold anything.
  const char* at = size.ok() ? std::strrchr(text.data(), ')') : nullptr;
  std::array<uint64_t, kEnvEnd + 1> fields{};
  for (size_t field = kState; at != nullptr && field <= kEnvEnd; ++field) {
    at = std::strchr(at, ' ');
    for (at = at == nullptr ? nullptr : at + 1; at != nullptr && *at >= '0' && *at <= '9'; ++at) {
      fields[field] = fields[field] * kTen + static_cast<unsigned>(*at - '0');
    }
  }
  out.start_code = fields[kStartCode];
  out.end_code = fields[kEndCode];
  out.start_stack = fields[kStartStack];
  out.start_data = fields[kStartData];
  out.end_data = fields[kEndData];
  out.start_brk = fields[kStartBrk];
  out.brk = reinterpret_cast<uintptr_t>(::sbrk(0));
  out.arg_start = fields[kArgStart];
  out.arg_end = fields[kArgEnd];
  out.env_start = fields[kEnvStart];
  out.env_end = fields[kEnvEnd];
  return at != nullptr;
}

// The kernel refuses while a page of the file before is mapped (EBUSY).
[[nodiscard]] bool name_executable(int program) noexcept {
  if (::prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, program, 0, 0) == 0) {
    return true;
  }
  // Without CAP_SYS_RESOURCE, as in many containers: all of the layout at once, which is for whoever may
  // checkpoint and restore.
  prctl_mm_map layout{};
  if (errno != EPERM || !read_layout(layout)) {
    return false;
  }
  layout.exe_fd = static_cast<uint32_t>(program);
  return ::prctl(PR_SET_MM, PR_SET_MM_MAP, &layout, sizeof layout, 0) == 0;
}

}  // namespace

bool become_in_place(int program) noexcept {
  const Image image;
  bool any = false;
  for (size_t i = 0; i < image.count(); ++i) {
    const ElfW(Phdr)& segment = image.header(i);
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0) {
      continue;
    }
    const Pages pages = image.pages(segment);
    any = true;
    if (!((segment.p_flags & PF_W) != 0 ? exchange_variable(pages, image.relro())
                                        : exchange_constant(pages, segment.p_flags, program))) {
      return false;
    }
  }
  return any && name_executable(program);
}

}  // namespace tsrunc::launcher
