// deny: runs a program for which system calls fail, as on a kernel that does not know them (ENOSYS) or
// beneath the system call filter of an outer container (EPERM), seccomp(2).
//
//   deny ENOSYS|EPERM CALL[,CALL...] CMD...
//
// Everything that CMD starts inherits it. Exit status: CMD's own, 125 when it could not be started.

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

struct Call {
  std::string_view name;
  unsigned number;
};

constexpr Call kCalls[] = {
    {"clone3", SYS_clone3},
    {"close_range", SYS_close_range},
    {"fsconfig", SYS_fsconfig},
    {"fsmount", SYS_fsmount},
    {"fsopen", SYS_fsopen},
    {"landlock_create_ruleset", SYS_landlock_create_ruleset},
    {"mount_setattr", SYS_mount_setattr},
    {"move_mount", SYS_move_mount},
    {"open_tree", SYS_open_tree},
    {"openat2", SYS_openat2},
    {"pidfd_getfd", SYS_pidfd_getfd},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"statx", SYS_statx},
};

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name the architecture"
#endif

[[noreturn]] void fail(std::string_view what) {
  std::fprintf(stderr, "deny: %.*s: %s\n", static_cast<int>(what.size()), what.data(), std::strerror(errno));
  _exit(125);
}

// The numbers of a list of names; empty when one is not known.
std::vector<unsigned> numbers_of(std::string_view list) {
  std::vector<unsigned> numbers;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(name.size() == list.size() ? name.size() : name.size() + 1);
    bool known = false;
    for (const Call& call : kCalls) {
      if (call.name == name) {
        numbers.push_back(call.number);
        known = true;
      }
    }
    if (!known) {
      return {};
    }
  }
  return numbers;
}

void install(const std::vector<unsigned>& numbers, unsigned error) {
  const auto load = [](__u32 offset) { return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset); };
  std::vector<sock_filter> program = {
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      load(offsetof(seccomp_data, nr)),
  };
  for (const unsigned number : numbers) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
    fail("seccomp");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view error = argc > 3 ? argv[1] : "";
  const std::vector<unsigned> numbers = argc > 3 ? numbers_of(argv[2]) : std::vector<unsigned>{};
  if ((error != "ENOSYS" && error != "EPERM") || numbers.empty()) {
    std::fputs("usage: deny ENOSYS|EPERM CALL[,CALL...] CMD...\n", stderr);
    return 125;
  }
  install(numbers, error == "ENOSYS" ? ENOSYS : EPERM);
  execvp(argv[3], argv + 3);
  fail(argv[3]);
}
