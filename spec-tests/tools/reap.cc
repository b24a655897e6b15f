// reap: runs a program and adopts whatever it leaves behind, so that nothing gets lost and no zombie stays.
//
//   reap FD CMD...
//
// On descriptor FD: `P PID` when CMD has been forked, `E STATUS` when it has ended (128 plus the signal's
// number). reap itself lives on until the last descendant is gone: while it lives, something of CMD does.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: reap FD CMD...\n");
    return 2;
  }
  const int report = atoi(argv[1]);
  fcntl(report, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    fprintf(stderr, "reap: %s: %s\n", argv[2], strerror(errno));
    _exit(127);
  }
  dprintf(report, "P %d\n", child);
  // What the program inherits is its own: an end of a pipe kept open here would hide its end.
  for (int fd = 0; fd < 64; fd++) {
    if (fd != report) {
      close(fd);
    }
  }
  int status = 0;
  for (;;) {
    const pid_t pid = waitpid(-1, &status, 0);
    if (pid < 0 && errno == ECHILD) {
      return 0;
    }
    if (pid == child) {
      dprintf(report, "E %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
  }
}
