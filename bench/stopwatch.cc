// stopwatch ERRORS
//
// Runs commands and times them: fork, exec and wait between two readings of the monotonic clock, without a
// shell and from a process so small that fork costs the same for every command (ru_maxrss of a child starts
// at its parent's size: exec keeps the high-water mark of the memory it replaces, getrusage(2)).
//
// Requests on stdin, one a line, fields separated by tabs; one line of answer each:
//   run ARGV…       wall_ns user_us system_us maxrss_kb status faults   (status: exit code, or 128 + signal;
//                   after a minute the command is killed)
//   many N ARGV…    the answers of N runs that begin at once, a space between them; "%" in a word stands for
//   the
//                   number of the run, from 0 on
//   reap PID        ok | failed: …     waits for an orphan of an earlier command, at most five seconds
// Standard input and output of commands are /dev/null, their errors go to the file ERRORS, emptied before
// each.

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

constexpr size_t kMaxLine = 16384;
constexpr size_t kMaxFields = 128;
constexpr size_t kMaxWord = 512;
constexpr int kMaxRuns = 64;
constexpr int kReapTimeoutMs = 5000;
constexpr unsigned kRunTimeoutSeconds = 60;

using Fields = std::array<char*, kMaxFields + 1>;

uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000U + static_cast<uint64_t>(time.tv_nsec);
}

uint64_t microseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1000000U + static_cast<uint64_t>(time.tv_usec);
}

// Splits in place; fields[count] is null, as execve wants it.
size_t split(char* line, Fields& fields) {
  size_t count = 0;
  char* rest = nullptr;
  for (char* field = strtok_r(line, "\t\n", &rest); field != nullptr && count < kMaxFields;
       field = strtok_r(nullptr, "\t\n", &rest)) {
    fields[count++] = field;
  }
  fields[count] = nullptr;
  return count;
}

volatile sig_atomic_t timed_out = 0;

// Without SA_RESTART, so that it interrupts wait4.
void watch_the_clock() {
  struct sigaction action {};
  action.sa_handler = [](int) { timed_out = 1; };
  sigaction(SIGALRM, &action, nullptr);
}

[[noreturn]] void execute(char** argv, int null, int errors) {
  if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0) {
    _exit(127);
  }
  execv(argv[0], argv);
  std::fprintf(stderr, "exec %s: %s\n", argv[0], std::strerror(errno));
  _exit(127);
}

void run(char** argv, int null, int errors) {
  if (ftruncate(errors, 0) < 0) {
    std::printf("failed: empty the file of errors: %s\n", std::strerror(errno));
    return;
  }
  timed_out = 0;
  alarm(kRunTimeoutSeconds);
  const uint64_t begin = now_ns();
  const pid_t pid = fork();
  if (pid == 0) {
    execute(argv, null, errors);
  }
  int status = 0;
  rusage usage{};
  pid_t waited = -1;
  do {
    waited = pid < 0 ? pid : wait4(pid, &status, 0, &usage);
    if (waited < 0 && timed_out != 0) {
      kill(pid, SIGKILL);
    }
  } while (waited < 0 && pid > 0 && errno == EINTR);
  const uint64_t wall = now_ns() - begin;
  alarm(0);
  if (waited < 0) {
    std::printf("failed: %s: %s\n", argv[0], std::strerror(errno));
    return;
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::printf("%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%ld\t%d\t%ld\n", wall, microseconds(usage.ru_utime),
              microseconds(usage.ru_stime), usage.ru_maxrss, code, usage.ru_minflt + usage.ru_majflt);
}

struct Run {
  pid_t pid = -1;
  uint64_t begin = 0;
  uint64_t end = 0;
  int status = 0;
  rusage usage{};
};

// `word` with the number in place of its "%". What does not fit is cut.
void put_number(char* out, size_t size, const char* word, int number) {
  const char* sign = std::strchr(word, '%');
  if (sign == nullptr) {
    std::snprintf(out, size, "%s", word);
  } else {
    std::snprintf(out, size, "%.*s%d%s", static_cast<int>(sign - word), word, number, sign + 1);
  }
}

[[noreturn]] void execute_numbered(char** argv, int number, int null, int errors) {
  static char words[kMaxFields][kMaxWord];
  static Fields numbered;
  for (size_t i = 0; argv[i] != nullptr; ++i) {
    put_number(words[i], kMaxWord, argv[i], number);
    numbered[i] = words[i];
  }
  execute(numbered.data(), null, errors);
}

void many(int count, char** argv, int null, int errors) {
  static std::array<Run, kMaxRuns> runs;
  if (count < 1 || count > kMaxRuns || ftruncate(errors, 0) < 0) {
    std::printf("failed: runs at once: 1 to %d\n", kMaxRuns);
    return;
  }
  for (int i = 0; i < count; ++i) {
    Run& run = runs[static_cast<size_t>(i)];
    run = Run{};
    run.begin = now_ns();
    run.pid = fork();
    if (run.pid == 0) {
      execute_numbered(argv, i, null, errors);
    }
  }
  for (int left = count; left > 0;) {
    int status = 0;
    rusage usage{};
    const pid_t pid = wait4(-1, &status, 0, &usage);
    if (pid < 0 && errno != EINTR) {
      std::printf("failed: wait: %s\n", std::strerror(errno));
      return;
    }
    for (int i = 0; i < count && pid > 0; ++i) {
      Run& run = runs[static_cast<size_t>(i)];
      if (run.pid == pid) {
        run.end = now_ns();
        run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        run.usage = usage;
        --left;
      }
    }
  }
  for (int i = 0; i < count; ++i) {
    const Run& run = runs[static_cast<size_t>(i)];
    std::printf("%s%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%ld\t%d", i == 0 ? "" : " ", run.end - run.begin,
                microseconds(run.usage.ru_utime), microseconds(run.usage.ru_stime), run.usage.ru_maxrss,
                run.status);
  }
  std::printf("\n");
}

// Containers that `create` left behind are orphans; this process is their sub-reaper, so they end up as its
// children.
void reap(pid_t pid) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    std::printf("failed: pidfd_open %d: %s\n", pid, std::strerror(errno));
    return;
  }
  pollfd poller{fd, POLLIN, 0};
  const int ready = poll(&poller, 1, kReapTimeoutMs);
  close(fd);
  if (ready != 1 || waitpid(pid, nullptr, 0) != pid) {
    std::printf("failed: wait for %d: %s\n", pid, ready == 0 ? "timed out" : std::strerror(errno));
    return;
  }
  std::printf("ok\n");
}

void answer(Fields& fields, size_t count, int null, int errors) {
  if (count >= 2 && std::strcmp(fields[0], "run") == 0) {
    run(fields.data() + 1, null, errors);
  } else if (count >= 3 && std::strcmp(fields[0], "many") == 0) {
    many(static_cast<int>(std::strtol(fields[1], nullptr, 10)), fields.data() + 2, null, errors);
  } else if (count == 2 && std::strcmp(fields[0], "reap") == 0) {
    reap(static_cast<pid_t>(std::strtol(fields[1], nullptr, 10)));
  } else {
    std::printf("failed: unknown request\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: stopwatch ERRORS\n");
    return 2;
  }
  watch_the_clock();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const int errors = open(argv[1], O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (null < 0 || errors < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
    std::perror("stopwatch");
    return 1;
  }
  static char line[kMaxLine];
  static Fields fields;
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    const size_t count = split(line, fields);
    answer(fields, count, null, errors);
    std::fflush(stdout);
  }
  return 0;
}
