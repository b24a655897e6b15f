// faultat: lets one system call of a program, or of what it starts, fail, or sends the process a signal
// there.
//
//   faultat [--skip NAME] [--with PID] [--at ROLE NUMBER N ERRNO|-SIGNAL] REPORT CMD...
//
// Traced are CMD's own process, what it clones, and their descendants, each until it executes a program:
// CMD's own process is traced through all of its programs, but for those whose file is called NAME. --with:
// also a process that is there already, called `init`.
//
// ROLE says which process: `1` is CMD's own in its first program, `3` in its third; `3.2` is the second one
// that it clones there, `3.2.1` the first one of that. One that goes on as another program without execve(2),
// by prctl(2) PR_SET_MM, is a program further as well. NUMBER is the number of the system call, N counts its
// occurrences in that role from 1. The call is not made and returns -ERRNO, except for close(2), which closes
// as the kernel does; or, with the number of a signal, the process has that before it makes the call. REPORT:
// a file; one line `ROLE NUMBER` for each system call in the order of their entry, `arguments …` of the one,
// at the end `struck` if it was reached, and `status S`. Exit status: CMD's own; 128 plus the signal's
// number.
//
// Who is still traced when CMD ends goes on by itself.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "it knows the registers of x86-64 only"
#endif

namespace {

constexpr unsigned long kBase = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
constexpr unsigned long kFollow = kBase | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;

struct Traced {
  std::string role;
  int children = 0;
  bool in_call = false;
  bool injected = false;
  bool becomes = false;  // another program, if the call succeeds
  bool waits = false;    // it has stopped, and its parent's event, which says its role, is still to come
};

struct Point {
  std::string role;
  long number = -1;
  long occurrence = 0;
  int error = 0;  // negative: the number of a signal
};

std::map<pid_t, Traced> g_traced;
Point g_point;
const char* g_skip;
FILE* g_report;
pid_t g_main;
int g_programs;
long g_seen;
bool g_struck;

bool skipped(pid_t pid) {
  if (g_skip == nullptr) {
    return false;
  }
  char link[64];
  char program[PATH_MAX];
  snprintf(link, sizeof link, "/proc/%d/exe", pid);
  const ssize_t length = readlink(link, program, sizeof program - 1);
  program[length < 0 ? 0 : length] = 0;
  const char* slash = strrchr(program, '/');
  return slash != nullptr && strcmp(slash + 1, g_skip) == 0;
}

// rax = value, or the number of the call = value.
void set_register(pid_t pid, bool number, long value) {
  user_regs_struct registers{};
  ptrace(PTRACE_GETREGS, pid, 0, &registers);
  (number ? registers.orig_rax : registers.rax) = static_cast<unsigned long>(value);
  ptrace(PTRACE_SETREGS, pid, 0, &registers);
}

// What the kernel answers where there is no more memory is the break as it is.
void ask_break(pid_t pid) {
  user_regs_struct registers{};
  ptrace(PTRACE_GETREGS, pid, 0, &registers);
  registers.rdi = 0;
  ptrace(PTRACE_SETREGS, pid, 0, &registers);
}

// What an argument is, as well as can be guessed: a text, a descriptor's file, a number.
std::string guess(pid_t pid, unsigned long value, bool first) {
  char text[128];
  const iovec here{text, sizeof text};
  const iovec there{reinterpret_cast<void*>(value), sizeof text};
  const ssize_t got = value < 4096 ? -1 : process_vm_readv(pid, &here, 1, &there, 1, 0);
  if (got > 0 && memchr(text, 0, static_cast<size_t>(got)) != nullptr && text[0] >= ' ') {
    std::replace(text, text + strlen(text), '\n', ' ');  // what is told is a line
    return std::string("\"") + text + "\"";
  }
  const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(value);
  const ssize_t length = first ? readlink(link.c_str(), text, sizeof text) : -1;
  return std::to_string(static_cast<long>(value)) +
         (length > 0 ? "<" + std::string(text, static_cast<size_t>(length)) + ">" : "");
}

void tell_arguments(pid_t pid, const __ptrace_syscall_info& call) {
  fprintf(g_report, "arguments");
  for (int i = 0; i < 4; i++) {
    fprintf(g_report, " %s", guess(pid, call.entry.args[i], i == 0).c_str());
  }
  fprintf(g_report, "\n");
}

void on_entry(pid_t pid, Traced& who) {
  __ptrace_syscall_info call{};
  ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof call, &call);
  const long number = static_cast<long>(call.entry.nr);
  fprintf(g_report, "%s %ld\n", who.role.c_str(), number);
  who.becomes = number == SYS_prctl && call.entry.args[0] == PR_SET_MM;
  if (g_struck || number != g_point.number || who.role != g_point.role || ++g_seen != g_point.occurrence) {
    return;
  }
  g_struck = true;
  tell_arguments(pid, call);
  if (g_point.error < 0) {
    fprintf(g_report, "struck\n");
    fflush(g_report);
    kill(pid, -g_point.error);
    return;
  }
  if (number == SYS_brk) {
    ask_break(pid);
    return;
  }
  who.injected = true;
  if (number != SYS_close) {
    set_register(pid, true, -1);
  }
}

bool succeeded(pid_t pid) {
  user_regs_struct registers{};
  ptrace(PTRACE_GETREGS, pid, 0, &registers);
  return registers.rax == 0;
}

void next_program(Traced& who) {
  who.role = std::to_string(++g_programs);
  who.children = 0;
}

void on_call(pid_t pid, Traced& who) {
  who.in_call = !who.in_call;
  if (who.in_call) {
    on_entry(pid, who);
  } else if (who.injected) {
    who.injected = false;
    set_register(pid, false, -g_point.error);
  } else if (who.becomes && pid == g_main && succeeded(pid)) {
    next_program(who);
  }
}

// True: it is traced on.
bool on_exec(pid_t pid, Traced& who) {
  if (pid != g_main) {
    return false;
  }
  next_program(who);
  ptrace(PTRACE_SETOPTIONS, pid, 0, skipped(pid) ? kBase : kFollow);
  return true;
}

void resume(pid_t pid, int signal_number) {
  // One that is skipped runs freely to its next execve, as we do to the first.
  const bool free_run = pid == g_main && (g_programs == 0 || skipped(pid));
  ptrace(free_run ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, signal_number);
}

void on_clone(pid_t pid, Traced& who) {
  unsigned long number = 0;
  ptrace(PTRACE_GETEVENTMSG, pid, 0, &number);
  const auto child = static_cast<pid_t>(number);
  Traced& born = g_traced[child];
  born.role = who.role + "." + std::to_string(++who.children);
  if (born.waits) {
    born.waits = false;
    resume(child, 0);
  }
}

void on_stop(pid_t pid, int status) {
  const int signal_number = WSTOPSIG(status);
  const int event = status >> 16;
  const auto found = g_traced.find(pid);
  if (found == g_traced.end() || found->second.role.empty()) {
    g_traced[pid].waits = true;
    return;
  }
  Traced& who = found->second;
  if (signal_number == (SIGTRAP | 0x80)) {
    on_call(pid, who);
    resume(pid, 0);
  } else if (event == PTRACE_EVENT_EXEC) {
    // Its stop behind the call comes as with every other one.
    if (on_exec(pid, who)) {
      who.in_call = !skipped(pid);
      resume(pid, 0);
    } else {
      g_traced.erase(found);
      ptrace(PTRACE_DETACH, pid, 0, 0);
    }
  } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
    on_clone(pid, who);
    resume(pid, 0);
  } else {
    resume(pid, event != 0 || signal_number == SIGSTOP ? 0 : signal_number);
  }
}

void begin(char** command) {
  g_main = fork();
  if (g_main == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    raise(SIGSTOP);
    execvp(command[0], command);
    fprintf(stderr, "faultat: %s: %s\n", command[0], strerror(errno));
    _exit(127);
  }
  // Seized, not attached: a clone whose first stop nobody has seen would otherwise keep a SIGSTOP when we end
  // (ptrace(2)), and with it the lock that it was cloned with.
  int status = 0;
  waitpid(g_main, &status, WUNTRACED);
  g_traced[g_main].role = "0";
  ptrace(PTRACE_SEIZE, g_main, 0, kBase);
  kill(g_main, SIGCONT);
}

// Its first stop is where the call that it sleeps in is interrupted, to be begun again.
bool join(pid_t pid) {
  g_traced[pid].role = "init";
  return ptrace(PTRACE_SEIZE, pid, 0, kFollow) == 0 && ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0;
}

int usage() {
  fprintf(stderr,
          "usage: faultat [--skip NAME] [--with PID] [--at ROLE NUMBER N ERRNO|-SIGNAL] REPORT CMD...\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  pid_t with = 0;
  int at = 1;
  for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
    if (strcmp(argv[at], "--skip") == 0) {
      g_skip = argv[at + 1];
    } else if (strcmp(argv[at], "--with") == 0) {
      with = atoi(argv[at + 1]);
    } else if (strcmp(argv[at], "--at") == 0 && at + 4 < argc) {
      g_point = {argv[at + 1], atol(argv[at + 2]), atol(argv[at + 3]), atoi(argv[at + 4])};
      at += 3;
    } else {
      return usage();
    }
  }
  if (at + 1 >= argc) {
    return usage();
  }
  g_report = fopen(argv[at], "we");
  if (g_report == nullptr) {
    perror(argv[at]);
    return 2;
  }
  begin(argv + at + 1);
  if (with != 0 && !join(with)) {
    perror("faultat: the process of --with");
    return 2;
  }
  int main_status = 0;
  for (bool alive = true; alive;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) {
      break;
    }
    if (WIFSTOPPED(status)) {
      on_stop(pid, status);
      continue;
    }
    g_traced.erase(pid);
    if (pid == g_main) {
      alive = false;
      main_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
  if (g_struck && g_point.error > 0) {
    fprintf(g_report, "struck\n");
  }
  fprintf(g_report, "status %d\n", main_status);
  fclose(g_report);
  return main_status;
}
