// orphan: ends a program at the moment in which it makes its first process, which then goes on alone.
//
//   orphan CMD...
//
// That process has executed no instruction when CMD has SIGKILL. orphan waits until it has ended. Threads, and
// what executes another program than CMD, are left alone. Exit status: 0; CMD's own if it made no process.

#include <cstdio>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traced_command.h"

namespace {

constexpr unsigned long kOptions =
    PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

bool is_process(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE* file = fopen(path, "re");
  char line[256];
  int group = 0;
  while (file != nullptr && fgets(line, sizeof line, file) != nullptr) {
    if (sscanf(line, "Tgid: %d", &group) == 1) {
      break;
    }
  }
  if (file != nullptr) {
    fclose(file);
  }
  return group == pid;
}

int let_go(pid_t parent, pid_t child) {
  int status = 0;
  waitpid(child, &status, __WALL);
  kill(parent, SIGKILL);
  waitpid(parent, &status, 0);
  ptrace(PTRACE_DETACH, child, nullptr, nullptr);
  // It is ours now.
  return waitpid(child, &status, __WALL) == child ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: orphan CMD...\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t command = start_traced(argv + 1, kOptions, "orphan");
  ptrace(PTRACE_CONT, command, nullptr, nullptr);
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
    const int event = status >> 16;
    if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
      unsigned long made = 0;
      ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &made);
      if (is_process(static_cast<pid_t>(made))) {
        return let_go(command, static_cast<pid_t>(made));
      }
    }
    const int signal_number = WSTOPSIG(status);
    const bool ours = event != 0 || signal_number == SIGSTOP || signal_number == SIGTRAP;
    ptrace(PTRACE_CONT, pid, nullptr, ours ? 0 : signal_number);
  }
}
