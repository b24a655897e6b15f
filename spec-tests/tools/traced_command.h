// A program under ptrace(2), from its first instruction on.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

// Starts `command` with these options and stops it before it executes its program: to be resumed. It ends with
// whoever traces it. `who` names that one where it cannot be executed.
inline pid_t start_traced(char** command, unsigned long options, const char* who) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    execvp(command[0], command);
    fprintf(stderr, "%s: %s: %s\n", who, command[0], strerror(errno));
    _exit(127);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ptrace(PTRACE_SETOPTIONS, pid, nullptr, options | PTRACE_O_EXITKILL);
  return pid;
}

// As a shell says it: 128 plus the number of the signal that ended it.
inline int exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
