// i386call: whether the kernel takes system calls of i386 from a program of x86-64 (syscall(2), int 0x80). Exit status 0: it does;
// another one, or the end by SIGSEGV: it was built without them, or told to do without (ia32_emulation=off).

#include <unistd.h>

int main() {
#if defined(__x86_64__)
  constexpr long kGetpid = 20;  // of i386
  long result = 0;
  asm volatile("int $0x80" : "=a"(result) : "a"(kGetpid) : "memory", "r8", "r9", "r10", "r11");
  return static_cast<int>(result) == getpid() ? 0 : 1;
#else
  return 1;
#endif
}
