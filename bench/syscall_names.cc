// Prints the names of the system calls that the linked libseccomp knows for this machine, one a line.

#include <seccomp.h>

#include <cstdio>
#include <cstdlib>

int main() {
  constexpr int kPastTheLast = 1024;
  for (int number = 0; number < kPastTheLast; ++number) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name != nullptr) {
      std::puts(name);
      std::free(name);
    }
  }
  return 0;
}
