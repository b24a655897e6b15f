// `syscall NAME|NUMBER [ARG...]`: makes one system call in a child of its own and tells what became of it:
// its result, the SIGSYS it got, the tracer's event, or the signal that ended the child. An argument is a
// number or `s:TEXT`.

#include <cstdio>
#include <cstring>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"

namespace probe {
namespace {

struct Named {
  const char* name;
  long number;
};

const Named kNumbers[] = {
    {"getcwd", SYS_getcwd},
    {"mkdir", SYS_mkdir},
    {"chmod", SYS_chmod},
    {"fchmod", SYS_fchmod},
    {"sched_yield", SYS_sched_yield},
    {"getppid", SYS_getppid},
    {"getpgid", SYS_getpgid},
    {"umask", SYS_umask},
    {"sync", SYS_sync},
    {"personality", SYS_personality},
    {"getrandom", SYS_getrandom},
    {"socket", SYS_socket},
    {"sethostname", SYS_sethostname},
    {"getpriority", SYS_getpriority},
    {"alarm", SYS_alarm},
    {"getsid", SYS_getsid},
    {"times", SYS_times},
    {"clone3", 435},
    {"unshare", SYS_unshare},
    {"keyctl", SYS_keyctl},
    {"acct", SYS_acct},
    {"kill", SYS_kill},
    {"setuid", SYS_setuid},
    {"chroot", SYS_chroot},
};

// Shared with the child, which may die at the call.
struct Outcome {
  bool returned;
  int64_t result;
  int error;
  bool sigsys;
  int sigsys_errno;
  int sigsys_call;
  bool thread_survived;
};

Outcome* g_outcome;
long g_call[7];

void on_sigsys(int, siginfo_t* info, void*) {
  g_outcome->sigsys = true;
  g_outcome->sigsys_errno = info->si_errno;
  g_outcome->sigsys_call = info->si_syscall;
}

void make_call() {
  errno = 0;
  const int64_t result = syscall(g_call[0], g_call[1], g_call[2], g_call[3], g_call[4], g_call[5], g_call[6]);
  g_outcome->error = errno;
  g_outcome->result = result;
  g_outcome->returned = true;
}

void* call_in_thread(void*) {
  make_call();
  return nullptr;
}

long number_of(const std::string& word) {
  for (const Named& entry : kNumbers) {
    if (word == entry.name) {
      return entry.number;
    }
  }
  return static_cast<long>(parse_number(word));
}

void decode_call(const Words& words) {
  memset(g_call, 0, sizeof g_call);
  g_call[0] = number_of(words[0]);
  for (size_t i = 1; i < words.size() && i < 7; i++) {
    const bool text = words[i].rfind("s:", 0) == 0;
    g_call[i] =
        text ? reinterpret_cast<long>(words[i].c_str() + 2) : static_cast<long>(parse_number(words[i]));
  }
}

void share_outcome() {
  g_outcome = static_cast<Outcome*>(
      mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  *g_outcome = Outcome{};
}

void put_outcome(Json& out, int status) {
  out.boolean("returned", g_outcome->returned).number("result", g_outcome->result);
  put_errno(out, g_outcome->result, g_outcome->error);
  out.number("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  if (g_outcome->sigsys) {
    out.number("sigsysErrno", g_outcome->sigsys_errno).number("sigsysCall", g_outcome->sigsys_call);
  }
}

void call(const Words& words, Json& out) {
  decode_call(words);
  share_outcome();
  const pid_t child = fork();
  if (child == 0) {
    make_call();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  put_outcome(out, status);
}

// With a handler of SIGSYS, for SCMP_ACT_TRAP.
void call_trapped(const Words& words, Json& out) {
  decode_call(words);
  share_outcome();
  const pid_t child = fork();
  if (child == 0) {
    struct sigaction action = {};
    action.sa_sigaction = on_sigsys;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &action, nullptr);
    make_call();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  put_outcome(out, status);
}

// From a second thread: SCMP_ACT_KILL_THREAD ends only it, SCMP_ACT_KILL_PROCESS ends both.
void call_threaded(const Words& words, Json& out) {
  decode_call(words);
  share_outcome();
  const pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, call_in_thread, nullptr) != 0) {
      _exit(99);
    }
    pthread_join(thread, nullptr);
    g_outcome->thread_survived = true;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  put_outcome(out, status);
  out.boolean("processSurvived", g_outcome->thread_survived);
}

// Under a tracer that listens to seccomp events, for SCMP_ACT_TRACE: tells the event's message.
void call_traced(const Words& words, Json& out) {
  decode_call(words);
  share_outcome();
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    make_call();
    _exit(0);
  }
  int status = 0;
  unsigned long message = 0;
  bool seen = false;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, child, 0, 0);
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
      seen = true;
      ptrace(PTRACE_GETEVENTMSG, child, 0, &message);
    }
    ptrace(PTRACE_CONT, child, 0, 0);
  }
  put_outcome(out, status);
  out.boolean("traced", seen).number("traceMessage", static_cast<int64_t>(message));
}

// A call by the 32-bit x86 entry, for `architectures`. Words: NUMBER.
void call_ia32(const Words& words, Json& out) {
#if defined(__x86_64__)
  share_outcome();
  const long number = static_cast<long>(parse_number(words[0]));
  const pid_t child = fork();
  if (child == 0) {
    long result = 0;
    asm volatile("int $0x80"
                 : "=a"(result)
                 : "a"(number), "b"(0L), "c"(0L), "d"(0L)
                 : "memory", "r8", "r9", "r10", "r11");
    const int narrow = static_cast<int>(result);
    g_outcome->result = narrow < 0 ? -1 : narrow;
    g_outcome->error = narrow < 0 ? -narrow : 0;
    g_outcome->returned = true;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  put_outcome(out, status);
#else
  (void)words;
  out.number("errno", ENOSYS).text("error", "ENOSYS");
#endif
}

}  // namespace

const Entry kSyscallCommands[] = {
    {"syscall", 1, call},
    {"syscall-trapped", 1, call_trapped},
    {"syscall-threaded", 1, call_threaded},
    {"syscall-traced", 1, call_traced},
    {"syscall-ia32", 1, call_ia32},
    {nullptr, 0, nullptr},
};

}  // namespace probe
