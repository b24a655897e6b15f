#include "launcher/leave_planner.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "launcher/host_namespaces.h"
#include "launcher/leave_cgroups.h"
#include "launcher/node.h"
#include "launcher/planner_client.h"
#include "launcher/planner_wire.h"
#include "launcher/trace_file.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

constexpr char kIdleSeconds[] = "300";
constexpr int64_t kEndMilliseconds = 2000;
constexpr int64_t kAnswerMilliseconds = 1000;

// The directory's real path, where a planner can serve it. It is made as the call itself would make it.
[[nodiscard]] bool find_root(const char* root, char (&out)[PATH_MAX]) noexcept {
  constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
  // unix(7): the socket is made under another name first, place.ts.
  constexpr size_t kLongestName = sizeof "/~planner.4194304";
  struct stat about {};
  if (::mkdir(root, 0700) != 0 && errno != EEXIST) {
    return false;
  }
  return ::realpath(root, out) != nullptr &&
         std::strlen(out) + kLongestName <= sizeof sockaddr_un{}.sun_path && ::stat(out, &about) == 0 &&
         S_ISDIR(about.st_mode) && about.st_uid == ::geteuid() && (about.st_mode & kOthersWrite) == 0;
}

// Of the caller's descriptors none is held, an engine waits for their end.
[[nodiscard]] bool drop_descriptors() noexcept {
  if (::close_range(0, ~0U, 0) != 0) {
    return false;
  }
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::open("/dev/null", O_RDWR) != fd) {
      return false;
    }
  }
  return ::chdir("/") == 0;
}

// A planner is as any process of the host's. What this user may not give back stays: it slows the planner
// down or ends it early, and no more.
void forget_priorities() noexcept {
  (void)sys::write_file(AT_FDCWD, "/proc/self/oom_score_adj", "0", 1);
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_OTHER, &none);
  (void)::setpriority(PRIO_PROCESS, 0, 0);
  cpu_set_t all;
  std::memset(&all, 0xff, sizeof all);
  (void)::sched_setaffinity(0, sizeof all, &all);
}

[[nodiscard]] bool somebody_listens(const char* root) {
  PlannerClient client(kAnswerMilliseconds);
  return !client.connect(root);
}

// The directory, locked until the planner listens, so that of many callers one starts a planner.
[[nodiscard]] int lock_root(const char* root, bool ending) {
  const int directory = ::open(root, O_RDONLY | O_DIRECTORY);
  if (directory < 0 || ::flock(directory, LOCK_EX | LOCK_NB) != 0) {
    return -1;
  }
  sys::Deadline deadline(ending ? kEndMilliseconds : 0);
  while (somebody_listens(root)) {
    if (deadline.over()) {
      return -1;
    }
    deadline.pause();
  }
  return directory;
}

// Returns if it fails. `path`: the caller's PATH, where node may have to be looked for.
void become_planner(char (&root)[PATH_MAX], bool ending, const char* path) {
  abandon_trace();
  ::umask(022);
  sys::reset_signals();
  if (!drop_descriptors() || !leave_cgroups(true)) {
    return;
  }
  forget_priorities();
  const int lock = lock_root(root, ending);
  if (lock < 0) {
    return;
  }
  char lock_word[64];
  sys::Text(lock_word).add(kPlannerLockVariable).add("=").add(static_cast<uint64_t>(lock));
  sys::Array<char> path_word;
  path_word.append("PATH=", 5);
  path_word.append(path, std::strlen(path) + 1);
  char* environment[] = {path_word.data(), lock_word, nullptr};
  environ = environment;
  char name[] = "tsrunc";
  char option[] = "--root";
  char verb[] = "planner";
  char idle[] = "--idle";
  char seconds[sizeof kIdleSeconds];
  std::memcpy(seconds, kIdleSeconds, sizeof seconds);
  char* words[] = {name, option, root, verb, idle, seconds, nullptr};
  (void)run_node(6, words, {});
}

}  // namespace

void leave_planner(const char* root, bool ending) {
  char directory[PATH_MAX];
  if (!is_on_host() || !find_root(root, directory)) {
    return;
  }
  // Without a signal at its end, which would wait for the program that this process becomes.
  clone_args args{};
  const long child = sys::clone3(args);
  if (child == 0) {
    if (::setsid() >= 0 && ::fork() == 0) {
      const char* path = ::getenv("PATH");
      become_planner(directory, ending, path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
    }
    ::_exit(0);
  }
  while (child > 0 && ::waitpid(static_cast<pid_t>(child), nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

}  // namespace tsrunc::launcher
