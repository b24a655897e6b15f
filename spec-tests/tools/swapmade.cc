// swapmade: a neighbour that is faster than a runtime: behind the mkdirat(2) by which a program, or what it
// makes, has made a directory, the directory gives its place to another one.
//
//   swapmade MADE OTHER CMD...
//
// MADE: its path here; what mkdirat(2) was given ends with its last component. It is renamed to MADE.gone and
// OTHER to it, once. Prints "swapped" then. Exit status: CMD's own, 128 plus the signal's number.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traced_command.h"

#ifndef __x86_64__
#error "it knows the registers of x86-64 only"
#endif

namespace {

constexpr unsigned long kOptions = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                   PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
constexpr int kSystemCall = SIGTRAP | 0x80;

std::string read_text(pid_t pid, unsigned long address) {
  std::string text;
  for (;; ++address) {
    errno = 0;
    const long word = ptrace(PTRACE_PEEKDATA, pid, address, nullptr);
    const char byte = static_cast<char>(word & 0xff);
    if (errno != 0 || byte == 0) {
      return text;
    }
    text.push_back(byte);
  }
}

// Whether this stop is the end of the call that has made the directory.
bool has_made(pid_t pid, const std::string& name) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, pid, nullptr, &registers) < 0 || registers.orig_rax != SYS_mkdirat ||
      registers.rax != 0) {
    return false;
  }
  const std::string path = read_text(pid, registers.rsi);
  return path == name || path.ends_with("/" + name);
}

bool swap(const std::string& made, const char* other) {
  if (rename(made.c_str(), (made + ".gone").c_str()) < 0 || rename(other, made.c_str()) < 0) {
    fprintf(stderr, "swapmade: %s: %s\n", made.c_str(), strerror(errno));
    return false;
  }
  printf("swapped\n");
  fflush(stdout);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: swapmade MADE OTHER CMD...\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string made = argv[1];
  const std::string name = made.substr(made.rfind('/') + 1);
  const pid_t command = start_traced(argv + 3, kOptions, "swapmade");
  ptrace(PTRACE_SYSCALL, command, nullptr, nullptr);
  bool swapped = false;
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) {
      return 1;
    }
    if (!WIFSTOPPED(status)) {
      if (pid == command) {
        return exit_status(status);
      }
      continue;
    }
    const int stop = WSTOPSIG(status);
    if (stop == kSystemCall && !swapped && has_made(pid, name)) {
      swapped = swap(made, argv[2]);
    }
    const bool ours = stop == kSystemCall || stop == SIGTRAP || stop == SIGSTOP || (status >> 16) != 0;
    ptrace(PTRACE_SYSCALL, pid, nullptr, ours ? 0 : stop);
  }
}
