// steps FILE PROGRAM [ARG…]
//
// Runs PROGRAM and all that it starts one instruction at a time (ptrace(2), PTRACE_SINGLESTEP) and writes a
// line "PROCESS ADDRESS" for each address of PROGRAM's code when it is executed for the first time: the
// number of the process, from 0, and, in hexadecimal, the address in the file of the executable.
// bench/layout.ts reads them.

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace {

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "steps: %s: %s\n", what, std::strerror(errno));
  _exit(125);
}

#if defined(__x86_64__)
unsigned long instruction(pid_t pid) {
  user_regs_struct registers{};
  return ptrace(PTRACE_GETREGS, pid, nullptr, &registers) == 0 ? registers.rip : 0;
}
#else
#error "steps reads the registers of x86-64 only"
#endif

// The executable mapping of the traced program in a process, proc_pid_maps(5).
struct Code {
  unsigned long begin = 0;
  unsigned long end = 0;
  unsigned long offset = 0;
};

struct Process {
  size_t number = 0;
  Code code;
  std::unordered_set<unsigned long> seen;
};

Code find_code(pid_t pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/maps";
  std::FILE* file = std::fopen(path.c_str(), "re");
  Code code;
  std::array<char, 8192> line{};
  while (file != nullptr && std::fgets(line.data(), line.size(), file) != nullptr) {
    Code one;
    std::array<char, 5> access{};
    if (std::sscanf(line.data(), "%lx-%lx %4s %lx", &one.begin, &one.end, access.data(), &one.offset) == 4 &&
        access[2] == 'x' && std::strstr(line.data(), name) != nullptr) {
      code = one;
    }
  }
  if (file != nullptr) {
    std::fclose(file);
  }
  return code;
}

class Stepper {
 public:
  Stepper(std::FILE* out, const char* program) : out_(out), program_(program) {
    const char* slash = std::strrchr(program, '/');
    program_ = slash == nullptr ? program : slash;
  }

  void run(pid_t first) {
    constexpr long kOptions = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                              PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    int status = 0;
    if (waitpid(first, &status, 0) != first || ptrace(PTRACE_SETOPTIONS, first, nullptr, kOptions) != 0) {
      die("ptrace");
    }
    enter(first);
    step(first, 0);
    for (pid_t pid = 0; (pid = waitpid(-1, &status, __WALL)) > 0;) {
      if (WIFSTOPPED(status)) {
        step(pid, stopped(pid, status));
      }
    }
  }

 private:
  void enter(pid_t pid) {
    const auto [at, fresh] = processes_.try_emplace(pid);
    if (fresh) {
      at->second.number = processes_.size() - 1;
    }
    at->second.code = find_code(pid, program_);
  }

  // Returns the signal that the process is to have.
  int stopped(pid_t pid, int status) {
    const int event = status >> 16;
    const bool fresh = processes_.count(pid) == 0;
    if (fresh || event == PTRACE_EVENT_EXEC) {
      enter(pid);
    }
    if (event != 0 || (fresh && WSTOPSIG(status) == SIGSTOP)) {
      return 0;
    }
    if (WSTOPSIG(status) != SIGTRAP) {
      return WSTOPSIG(status);
    }
    Process& process = processes_[pid];
    const unsigned long at = instruction(pid);
    if (at >= process.code.begin && at < process.code.end && process.seen.insert(at).second) {
      std::fprintf(out_, "%zu %lx\n", process.number, at - process.code.begin + process.code.offset);
    }
    return 0;
  }

  static void step(pid_t pid, long signal) {
    if (ptrace(PTRACE_SINGLESTEP, pid, nullptr, signal) != 0 && errno != ESRCH) {
      die("ptrace");
    }
  }

  std::FILE* out_;
  const char* program_;
  std::unordered_map<pid_t, Process> processes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: steps FILE PROGRAM [ARG...]\n");
    return 125;
  }
  std::FILE* out = std::fopen(argv[1], "we");
  if (out == nullptr) {
    die(argv[1]);
  }
  const pid_t first = fork();
  if (first == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    execv(argv[2], argv + 2);
    _exit(127);
  }
  Stepper(out, argv[2]).run(first);
  return std::fclose(out) == 0 ? 0 : 1;
}
