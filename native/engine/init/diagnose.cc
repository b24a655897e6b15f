#include "engine/init/diagnose.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Text;
using sys::UniqueFd;

#if defined(__x86_64__)
constexpr uint16_t kOwnMachine = EM_X86_64;
constexpr char kOwnName[] = "x86_64";
#elif defined(__aarch64__)
constexpr uint16_t kOwnMachine = EM_AARCH64;
constexpr char kOwnName[] = "aarch64";
#elif defined(__riscv)
constexpr uint16_t kOwnMachine = EM_RISCV;
constexpr char kOwnName[] = "riscv64";
#else
constexpr uint16_t kOwnMachine = EM_NONE;
constexpr char kOwnName[] = "another architecture";
#endif

const char* machine_name(uint16_t machine) noexcept {
  switch (machine) {
    case EM_386:
      return "i386";
    case EM_X86_64:
      return "x86_64";
    case EM_ARM:
      return "arm";
    case EM_AARCH64:
      return "aarch64";
    case EM_RISCV:
      return "riscv64";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390x";
    case EM_MIPS:
      return "mips";
    case 258:  // EM_LOONGARCH, not in every elf.h
      return "loongarch64";
    default:
      return nullptr;
  }
}

bool exists(const char* path) noexcept {
  return ::faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

const char* of_script(Text& text, int code, char* line, size_t size) noexcept {
  line[std::min(size, std::strcspn(line, "\n"))] = 0;
  char* interpreter = line + 2;
  while (*interpreter == ' ' || *interpreter == '\t') {
    ++interpreter;
  }
  const size_t length = std::strcspn(interpreter, " \t");
  const bool carriage_return = std::strchr(interpreter, '\r') != nullptr;
  if (carriage_return && code == ENOENT) {
    char shown[PATH_MAX];
    Text(shown).add(interpreter, std::strcspn(interpreter, "\r"));
    text.add("no such file or directory: its interpreter \"").add(shown);
    text.add(
        "\\r\" does not exist in the root (the script has Windows line endings; convert it to Unix ones)");
    return text.c_str();
  }
  interpreter[length] = 0;
  if (code == ENOENT && !exists(interpreter)) {
    text.add("no such file or directory: its interpreter \"")
        .add(interpreter)
        .add("\" does not exist in the root");
    return text.c_str();
  }
  if (code == EACCES) {
    text.add("permission denied: its interpreter \"").add(interpreter).add("\" may not be executed");
    return text.c_str();
  }
  return nullptr;
}

// PT_INTERP of a 64-bit little-endian program, into `out`.
bool read_loader(int fd, const Elf64_Ehdr& header, char* out, size_t size) noexcept {
  constexpr unsigned kMaxHeaders = 64;
  for (unsigned i = 0; i < header.e_phnum && i < kMaxHeaders; ++i) {
    Elf64_Phdr program{};
    const off_t at = static_cast<off_t>(header.e_phoff) + static_cast<off_t>(i) * header.e_phentsize;
    if (::pread(fd, &program, sizeof program, at) != static_cast<ssize_t>(sizeof program)) {
      return false;
    }
    if (program.p_type == PT_INTERP && program.p_filesz > 0 && program.p_filesz < size) {
      const auto wanted = static_cast<ssize_t>(program.p_filesz);
      if (::pread(fd, out, program.p_filesz, static_cast<off_t>(program.p_offset)) != wanted) {
        return false;
      }
      out[program.p_filesz] = 0;
      return true;
    }
  }
  return false;
}

const char* of_elf(Text& text, int code, int fd, const unsigned char* bytes) noexcept {
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes, sizeof header);
  if (header.e_machine != kOwnMachine) {
    const char* name = machine_name(header.e_machine);
    text.add("exec format error: the program is built for ").add(name == nullptr ? "another machine" : name);
    text.add(", this host is ").add(kOwnName);
    return text.c_str();
  }
  char loader[PATH_MAX];
  if (code == ENOENT && header.e_ident[EI_CLASS] == ELFCLASS64 &&
      read_loader(fd, header, loader, sizeof loader) && !exists(loader)) {
    text.add("no such file or directory: its loader \"").add(loader);
    text.add("\" does not exist in the root (a dynamically linked program needs its libraries in the image)");
    return text.c_str();
  }
  return nullptr;
}

const char* of_contents(Text& text, int code, const char* path) noexcept {
  const UniqueFd fd(::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  // BINPRM_BUF_SIZE: the kernel looks at this much of a file too.
  alignas(Elf64_Ehdr) unsigned char bytes[257] = {};
  const ssize_t got = fd.valid() ? ::pread(fd.get(), bytes, sizeof bytes - 1, 0) : -1;
  if (got < 0) {
    return nullptr;
  }
  if (got >= 2 && bytes[0] == '#' && bytes[1] == '!') {
    return of_script(text, code, reinterpret_cast<char*>(bytes), static_cast<size_t>(got));
  }
  if (got >= static_cast<ssize_t>(sizeof(Elf64_Ehdr)) && std::memcmp(bytes, ELFMAG, SELFMAG) == 0) {
    return of_elf(text, code, fd.get(), bytes);
  }
  if (code == ENOEXEC) {
    text.add(got == 0 ? "exec format error: the file is empty"
                      : "exec format error: the file is neither a program for this machine nor a script with "
                        "a #! line");
    return text.c_str();
  }
  return nullptr;
}

const char* of_permission(Text& text, const char* path, const struct stat& status) noexcept {
  struct statvfs fs {};
  if (::statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC) != 0) {
    text.add("permission denied: the file system it is on is mounted noexec");
    return text.c_str();
  }
  if ((status.st_mode & 0111U) == 0) {
    text.add("permission denied: the file is not executable (mode 0")
        .add(status.st_mode & 07777U, 8)
        .add(")");
    return text.c_str();
  }
  return nullptr;
}

// What the kernel answers for a security module that does not let the program run with its label. Its log
// says more.
const char* of_confinement(InitContext& context, int code) noexcept {
  if (context.confinement == nullptr || (code != EACCES && code != EPERM)) {
    return nullptr;
  }
  const bool selinux = std::strcmp(context.confinement, "SELinux") == 0;
  Text text(context.detail);
  if (code == EPERM && context.no_new_privs) {
    text.add("operation not permitted: with no_new_privs ").add(context.confinement);
    text.add(selinux ? " changes to process.selinuxLabel only where the policy allows nnp_transition"
                     : " leaves the profile that tsrunc itself runs in only for one that is stacked on it: "
                       "process.apparmorProfile as in \"OWN//&PROFILE\"");
    return text.c_str();
  }
  text.add(code == EPERM ? "operation not permitted" : "permission denied").add(": ");
  text.add(context.confinement);
  text.add(
      selinux ? " does not allow it (process.selinuxLabel; on a file system mounted nosuid the policy has to "
                "allow nosuid_transition); the kernel's log says which rule is missing"
              : " does not allow it (process.apparmorProfile); the kernel's log says which rule is missing");
  return text.c_str();
}

// What is wrong with the file itself.
const char* of_file(InitContext& context, int code, const char* path) noexcept {
  if (code != ENOENT && code != EACCES && code != ENOEXEC && code != ELOOP) {
    return nullptr;
  }
  Text text(context.detail);
  struct stat status {};
  if (::fstatat(AT_FDCWD, path, &status, 0) < 0) {
    return nullptr;
  }
  if (S_ISDIR(status.st_mode)) {
    return "is a directory";
  }
  if (!S_ISREG(status.st_mode)) {
    return "permission denied: it is not a regular file";
  }
  if (code == EACCES) {
    const char* why = of_permission(text, path, status);
    if (why != nullptr) {
      return why;
    }
  }
  return of_contents(text, code, path);
}

}  // namespace

const char* diagnose(InitContext& context, int code, const char* path) noexcept {
  const char* found = of_file(context, code, path);
  return found != nullptr ? found : of_confinement(context, code);
}

}  // namespace tsrunc::engine
