// killat: ends a program with SIGKILL at a chosen system call, to see what it leaves behind.
//
//   killat EXECS N main|child CMD...
//
// The calls are counted from the entry of the first one after the EXECS-th execve of CMD's own process.
// `main` counts and kills that process; `child` counts and kills the first process that it clones from then
// on. N = 0 kills nothing and counts. On standard error at the end, in a line of its own: `killat: execs=E
// main=M child=C killed=0|1 status=S`. Exit status: CMD's own, 137 when it was killed.
//
// Only these processes are traced; their other threads and children run freely.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Traced {
  pid_t pid = 0;
  long calls = 0;
  bool in_call = false;
  bool alive = false;
};

constexpr unsigned long kBase = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
constexpr unsigned long kFollow = kBase | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;

long g_wanted_execs;
long g_at;
bool g_kill_child;
long g_execs;
bool g_killed;

// The child is followed only when it is the one to be killed. Without PTRACE_O_EXITKILL: whoever is left
// lives on as it would without us.
unsigned long options() {
  return g_kill_child ? kFollow : kBase;
}

Traced g_main;
Traced g_child;

void strike(Traced& target) {
  g_killed = true;
  kill(target.pid, SIGKILL);
}

void count_call(Traced& who, bool is_child) {
  who.in_call = !who.in_call;
  if (!who.in_call || g_execs < g_wanted_execs) {
    return;
  }
  who.calls++;
  if (g_at > 0 && who.calls == g_at && is_child == g_kill_child) {
    strike(who);
  }
}

// One stop of a tracee: what to hand to it, or -1 when it is to be let go.
int on_stop(pid_t pid, int status) {
  const bool is_main = pid == g_main.pid;
  if (!is_main && g_child.pid == 0) {
    // Its first stop may come before its parent's event.
    g_child.pid = pid;
    g_child.alive = true;
  }
  Traced& who = is_main ? g_main : g_child;
  const int signal_number = WSTOPSIG(status);
  const int event = status >> 16;
  if (signal_number == (SIGTRAP | 0x80)) {
    count_call(who, !is_main);
    return 0;
  }
  if (event == PTRACE_EVENT_EXEC) {
    if (is_main && ++g_execs == g_wanted_execs) {
      ptrace(PTRACE_SETOPTIONS, pid, 0, options());
    }
    return 0;
  }
  if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
    unsigned long child = 0;
    ptrace(PTRACE_GETEVENTMSG, pid, 0, &child);
    if (is_main && g_child.pid == 0) {
      g_child.pid = static_cast<pid_t>(child);
      g_child.alive = true;
    }
    return 0;
  }
  if (event != 0 || signal_number == SIGSTOP) {
    return 0;
  }
  return signal_number;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: killat EXECS N main|child CMD...\n");
    return 2;
  }
  g_wanted_execs = atol(argv[1]);
  g_at = atol(argv[2]);
  g_kill_child = strcmp(argv[3], "child") == 0;
  g_main.pid = fork();
  if (g_main.pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execvp(argv[4], argv + 4);
    fprintf(stderr, "killat: %s: %s\n", argv[4], strerror(errno));
    _exit(127);
  }
  g_main.alive = true;
  int status = 0;
  waitpid(g_main.pid, &status, 0);
  ptrace(PTRACE_SETOPTIONS, g_main.pid, 0, g_wanted_execs == 0 ? options() : kBase);
  ptrace(PTRACE_SYSCALL, g_main.pid, 0, 0);
  int main_status = 0;
  while (g_main.alive) {
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) {
      break;
    }
    if (WIFSTOPPED(status)) {
      const bool known = pid == g_main.pid || pid == g_child.pid || g_child.pid == 0;
      if (!known) {
        // A second child or a thread: it runs on by itself.
        ptrace(PTRACE_DETACH, pid, 0, 0);
        continue;
      }
      const int signal_number = on_stop(pid, status);
      ptrace(PTRACE_SYSCALL, pid, 0, signal_number);
    } else if (pid == g_main.pid) {
      g_main.alive = false;
      main_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (pid == g_child.pid) {
      g_child.alive = false;
    }
  }
  fprintf(stderr, "killat: execs=%ld main=%ld child=%ld killed=%d status=%d\n", g_execs, g_main.calls,
          g_child.calls, g_killed ? 1 : 0, main_status);
  return main_status;
}
