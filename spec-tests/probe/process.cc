// Commands that do something as a process: wait, die, fork, use memory, act as a hook.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

extern char** environ;

namespace probe {
namespace {

// Until a signal ends the process; SIGTERM does so cleanly, which PID 1 of a namespace must ask for itself.
void pause_for_ever(const Words&, Json&) {
  signal(SIGTERM, [](int) { _exit(0); });
  for (;;) {
    pause();
  }
}

// sleep SECONDS
void sleep_seconds(const Words& words, Json&) {
  const double seconds = atof(words[0].c_str());
  timespec left = {static_cast<time_t>(seconds),
                   static_cast<long>((seconds - static_cast<time_t>(seconds)) * 1e9)};
  while (nanosleep(&left, &left) < 0 && errno == EINTR) {
  }
}

// notify TEXT: as sd_notify(3), to the socket of NOTIFY_SOCKET; "\n" in TEXT is a newline.
void notify(const Words& words, Json& out) {
  std::string text = words[0];
  for (size_t at; (at = text.find("\\n")) != std::string::npos;) {
    text.replace(at, 2, "\n");
  }
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path == nullptr ? "" : path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const ssize_t sent =
      sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
  put_errno(out, sent < 0 ? -1 : 0, errno);
  close(fd);
}

// signals COUNT: a line {"ready":true}, then one {"signal":N} for each of COUNT signals.
void signals(const Words& words, Json& out) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  print_line("{\"ready\":true}");
  for (uint64_t i = 0; i < parse_number(words[0]); i++) {
    siginfo_t info;
    int number = -1;
    // signal(7): a stop interrupts it, as the freezer of cgroup v2 does.
    do {
      number = sigwaitinfo(&all, &info);
    } while (number < 0 && errno == EINTR);
    print_line("{\"signal\":" + std::to_string(number) + "}");
  }
  out.boolean("done", true);
}

void exit_with(const Words& words, Json&) {
  _exit(static_cast<int>(parse_number(words[0])));
}

// By a fault, which ends even PID 1 of a namespace.
void crash(const Words&, Json&) {
  signal(SIGILL, SIG_DFL);
  __builtin_trap();
}

void kill_self(const Words& words, Json& out) {
  const int result = kill(getpid(), static_cast<int>(parse_number(words[0])));
  put_errno(out, result, errno);
}

// fork COUNT: children that wait, ended again before the line is printed. `forked` says how many there were
// at once.
void fork_many(const Words& words, Json& out) {
  std::vector<pid_t> children;
  int error = 0;
  for (uint64_t i = 0; i < parse_number(words[0]); i++) {
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    if (child < 0) {
      error = errno;
      break;
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  out.number("forked", static_cast<int64_t>(children.size()));
  out.number("errno", error).text("error", errno_name(error));
}

// scatter COUNT: so many processes that do nothing but fork and end, each of them: who wants to end them has to be faster.
// Init reaps them unseen.
void scatter(const Words& words, Json&) {
  signal(SIGCHLD, SIG_IGN);
  for (uint64_t i = 0; i < parse_number(words[0]); i++) {
    if (fork() != 0) {
      continue;
    }
    setsid();
    for (;;) {
      if (fork() > 0) {
        _exit(0);
      }
    }
  }
}

// daemon: leaves a child behind that waits for ever, as an ill-behaved container does.
void leave_child(const Words&, Json& out) {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    for (int i = 1; i < NSIG; i++) {
      signal(i, SIG_IGN);
    }
    for (;;) {
      pause();
    }
  }
  out.number("child", child);
}

// memory BYTES: maps and touches them in a child, tells how the child ended.
void use_memory(const Words& words, Json& out) {
  const uint64_t bytes = parse_number(words[0]);
  const pid_t child = fork();
  if (child == 0) {
    char* area =
        static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (area == MAP_FAILED) {
      _exit(1);
    }
    for (uint64_t at = 0; at < bytes; at += 4096) {
      area[at] = 1;
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  out.number("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  out.number("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

// exec PATH [ARG...] in a child: the errno of execve, or the child's status.
void exec_path(const Words& words, Json& out) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
    put_errno(out, -1, errno);
    return;
  }
  const pid_t child = fork();
  if (child == 0) {
    std::vector<char*> args;
    for (const std::string& word : words) {
      args.push_back(const_cast<char*>(word.c_str()));
    }
    args.push_back(nullptr);
    execv(args[0], args.data());
    const int error = errno;
    (void)!write(pipe_fds[1], &error, sizeof error);
    _exit(127);
  }
  close(pipe_fds[1]);
  int error = 0;
  (void)!read(pipe_fds[0], &error, sizeof error);
  close(pipe_fds[0]);
  int status = 0;
  waitpid(child, &status, 0);
  out.number("errno", error).text("error", errno_name(error));
  out.number("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

void echo(const Words& words, Json& out) {
  out.key("words").begin_array();
  for (const std::string& word : words) {
    out.text(word);
  }
  out.end_array();
}

void read_stdin(const Words&, Json& out) {
  std::string data;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0;) {
    data.append(buffer, static_cast<size_t>(n));
  }
  out.text("data", data);
}

void print_error(const Words& words, Json&) {
  dprintf(STDERR_FILENO, "%s\n", words[0].c_str());
}

// Waits until PATH exists, at most ten seconds.
void await_path(const Words& words, Json& out) {
  struct stat st;
  int tries = 0;
  while (lstat(words[0].c_str(), &st) < 0 && tries++ < 1000) {
    usleep(10000);
  }
  out.boolean("found", tries < 1000);
}

// fd N: reads what a passed descriptor holds, from its beginning when it has one.
void read_descriptor(const Words& words, Json& out) {
  const int fd = static_cast<int>(parse_number(words[0]));
  char buffer[4096];
  lseek(fd, 0, SEEK_SET);
  const ssize_t n = read(fd, buffer, sizeof buffer);
  put_errno(out, n, errno);
  out.text("data", std::string(buffer, n > 0 ? static_cast<size_t>(n) : 0));
}

// hook FILE NAME [exit=N] [sleep=N] [stderr=TEXT] [stat=PATH] [noread] [touch=PATH]: appends to FILE what the
// hook saw, one line of JSON.
void hook(const Words& words, Json& out) {
  int status = 0;
  double delay = 0;
  bool read_state = true;
  std::string seen;
  for (size_t i = 2; i < words.size(); i++) {
    const std::string& word = words[i];
    const std::string value = word.substr(word.find('=') + 1);
    if (word.rfind("exit=", 0) == 0) {
      status = atoi(value.c_str());
    } else if (word.rfind("sleep=", 0) == 0) {
      delay = atof(value.c_str());
    } else if (word.rfind("stderr=", 0) == 0) {
      dprintf(STDERR_FILENO, "%s\n", value.c_str());
    } else if (word.rfind("stdout=", 0) == 0) {
      dprintf(STDOUT_FILENO, "%s\n", value.c_str());
    } else if (word.rfind("stat=", 0) == 0) {
      struct stat st;
      seen += value + (stat(value.c_str(), &st) == 0 ? ":yes " : ":no ");
    } else if (word == "noread") {
      read_state = false;
    }
  }
  std::string state;
  char buffer[4096];
  for (ssize_t n = 0; read_state && (n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0;) {
    state.append(buffer, static_cast<size_t>(n));
  }
  Json line;
  line.begin_object().text("hook", words[1]).text("state", state).number("pid", getpid()).text("seen", seen);
  line.key("args").begin_array();
  for (int i = 0; i < g_argc; i++) {
    line.text(g_argv[i]);
  }
  line.end_array().key("env").begin_array();
  for (char** item = environ; *item != nullptr; item++) {
    line.text(*item);
  }
  line.end_array();
  char cwd[4096];
  line.text("cwd", getcwd(cwd, sizeof cwd) == nullptr ? "" : cwd).text("root", read_link("/proc/self/root"));
  line.key("namespaces").begin_object();
  for (const char* name : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    line.text(name, read_link((std::string("/proc/self/ns/") + name).c_str()));
  }
  line.end_object();
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  line.number("time", now.tv_sec * 1000000000L + now.tv_nsec);
  line.end_object();
  const int fd = open(words[0].c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  const std::string whole = line.str() + "\n";
  if (fd < 0 || write(fd, whole.data(), whole.size()) < 0) {
    dprintf(STDERR_FILENO, "probe hook: %s: %s\n", words[0].c_str(), strerror(errno));
    _exit(3);
  }
  close(fd);
  if (delay > 0) {
    sleep_seconds({std::to_string(delay)}, out);
  }
  _exit(status);
}

}  // namespace

const Entry kProcessCommands[] = {
    {"pause", 0, pause_for_ever},
    {"sleep", 1, sleep_seconds},
    {"notify", 1, notify},
    {"signals", 1, signals},
    {"exit", 1, exit_with},
    {"crash", 0, crash},
    {"kill", 1, kill_self},
    {"fork", 1, fork_many},
    {"scatter", 1, scatter},
    {"daemon", 0, leave_child},
    {"memory", 1, use_memory},
    {"exec", 1, exec_path},
    {"echo", 0, echo},
    {"stdin", 0, read_stdin},
    {"stderr", 1, print_error},
    {"await", 1, await_path},
    {"fd", 1, read_descriptor},
    {"hook", 2, hook},
    {nullptr, 0, nullptr},
};

}  // namespace probe
