// exchange: exchanges two paths again and again, as a neighbour on a shared volume does.
//
//   exchange A B    renameat2(2) with RENAME_EXCHANGE until it is killed; prints "running" after the first
//   time.

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc != 3) {
    fprintf(stderr, "usage: exchange A B\n");
    return 2;
  }
  for (unsigned long round = 0;; round++) {
    if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0) {
      fprintf(stderr, "exchange: %s\n", strerror(errno));
      return 1;
    }
    if (round == 0) {
      (void)!write(STDOUT_FILENO, "running\n", 8);
    }
    sched_yield();
  }
}
