// `report`: the process as it was started. `mounts`, `clocks`, `keyring`: what it sees around it.

#include <cstdio>
#include <cstring>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

extern char** environ;

namespace probe {
namespace {

struct Limit {
  const char* name;
  int resource;
};

const Limit kLimits[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

const char* const kNamespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

void put_strings(Json& out, const char* name, char** list) {
  out.key(name).begin_array();
  for (char** item = list; *item != nullptr; item++) {
    out.text(*item);
  }
  out.end_array();
}

void put_credentials(Json& out) {
  uid_t uid[3];
  gid_t gid[3];
  getresuid(&uid[0], &uid[1], &uid[2]);
  getresgid(&gid[0], &gid[1], &gid[2]);
  out.key("uids").begin_array().number(uid[0]).number(uid[1]).number(uid[2]).end_array();
  out.key("gids").begin_array().number(gid[0]).number(gid[1]).number(gid[2]).end_array();
  gid_t groups[256];
  const int count = getgroups(256, groups);
  out.key("groups").begin_array();
  for (int i = 0; i < count; i++) {
    out.number(groups[i]);
  }
  out.end_array();
  const mode_t mask = umask(0);
  umask(mask);
  out.number("umask", mask);
}

// A capability set of /proc/self/status is a hexadecimal number; it is told as the list of its bits.
void put_capabilities(Json& out, const std::string& status) {
  const char* const kSets[][2] = {{"inheritable", "CapInh:"},
                                  {"permitted", "CapPrm:"},
                                  {"effective", "CapEff:"},
                                  {"bounding", "CapBnd:"},
                                  {"ambient", "CapAmb:"}};
  out.key("capabilities").begin_object();
  for (const auto& set : kSets) {
    const size_t at = status.find(set[1]);
    const uint64_t bits =
        at == std::string::npos ? 0 : strtoull(status.c_str() + at + strlen(set[1]), nullptr, 16);
    out.key(set[0]).begin_array();
    for (int bit = 0; bit < 64; bit++) {
      if ((bits >> bit & 1) != 0) {
        out.number(bit);
      }
    }
    out.end_array();
  }
  out.end_object();
}

std::string status_field(const std::string& status, const char* name) {
  const size_t at = status.find(name);
  if (at == std::string::npos) {
    return "";
  }
  const size_t begin = status.find_first_not_of(" \t", at + strlen(name));
  return status.substr(begin, status.find('\n', begin) - begin);
}

void put_limits(Json& out) {
  out.key("rlimits").begin_object();
  for (const Limit& limit : kLimits) {
    struct rlimit value;
    getrlimit(static_cast<__rlimit_resource>(limit.resource), &value);
    out.key(limit.name).begin_array();
    out.text(std::to_string(value.rlim_cur)).text(std::to_string(value.rlim_max)).end_array();
  }
  out.end_object();
}

void put_namespaces(Json& out) {
  out.key("namespaces").begin_object();
  for (const char* name : kNamespaces) {
    out.text(name, read_link((std::string("/proc/self/ns/") + name).c_str()));
  }
  out.end_object();
}

void put_descriptors(Json& out) {
  out.key("fds").begin_array();
  DIR* dir = opendir("/proc/self/fd");
  for (dirent* entry = dir == nullptr ? nullptr : readdir(dir); entry != nullptr; entry = readdir(dir)) {
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(dir)) {
      continue;
    }
    out.begin_object().number("fd", fd);
    out.text("target", read_link((std::string("/proc/self/fd/") + entry->d_name).c_str()));
    out.boolean("cloexec", (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    out.number("flags", fcntl(fd, F_GETFL)).end_object();
  }
  if (dir != nullptr) {
    closedir(dir);
  }
  out.end_array();
}

void put_terminals(Json& out) {
  out.key("tty").begin_array();
  for (int fd = 0; fd < 3; fd++) {
    out.boolean(isatty(fd) == 1);
  }
  out.end_array();
}

void report(const Words&, Json& out) {
  int error = 0;
  const std::string status = slurp("/proc/self/status", &error);
  out.number("pid", getpid()).number("ppid", getppid()).number("sid", getsid(0)).number("pgid", getpgrp());
  put_credentials(out);
  char cwd[4096];
  out.text("cwd", getcwd(cwd, sizeof cwd) == nullptr ? "" : cwd);
  out.text("exe", read_link("/proc/self/exe"));
  put_strings(out, "args", g_argv);
  put_strings(out, "env", environ);
  put_capabilities(out, status);
  out.boolean("noNewPrivileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
  out.number("seccomp", atoi(status_field(status, "Seccomp:").c_str()));
  out.text("seccompFilters", status_field(status, "Seccomp_filters:"));
  out.text("speculation", status_field(status, "Speculation_Store_Bypass:"));
  out.text("signalsIgnored", status_field(status, "SigIgn:"));
  out.text("signalsBlocked", status_field(status, "SigBlk:"));
  put_limits(out);
  put_namespaces(out);
  utsname names;
  uname(&names);
  out.text("hostname", names.nodename).text("domainname", names.domainname).text("machine", names.machine);
  put_descriptors(out);
  put_terminals(out);
  out.text("oomScoreAdj", slurp("/proc/self/oom_score_adj", &error));
  out.text("cgroup", slurp("/proc/self/cgroup", &error));
  out.number("personality", personality(0xffffffff));
  out.number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
  out.number("parentDeathSignal", death_signal);
  out.number("subreaper", [] {
    int value = 0;
    prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0);
    return value;
  }());
}

void mounts(const Words&, Json& out) {
  int error = 0;
  out.text("mountinfo", slurp("/proc/self/mountinfo", &error));
}

void clocks(const Words&, Json& out) {
  timespec monotonic;
  timespec boottime;
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  clock_gettime(CLOCK_BOOTTIME, &boottime);
  out.number("monotonic", monotonic.tv_sec).number("boottime", boottime.tv_sec);
}

void keyring(const Words&, Json& out) {
  const long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
  put_errno(out, serial, errno);
  char description[256] = "";
  syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description, sizeof description);
  out.number("serial", serial).text("description", description);
}

// Every process that /proc shows, with its command line and its open files.
void processes(const Words&, Json& out) {
  out.key("processes").begin_array();
  DIR* proc = opendir("/proc");
  for (dirent* entry = proc == nullptr ? nullptr : readdir(proc); entry != nullptr; entry = readdir(proc)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') {
      continue;
    }
    int error = 0;
    const std::string base = std::string("/proc/") + entry->d_name;
    std::string command = slurp((base + "/cmdline").c_str(), &error);
    for (char& c : command) {
      c = c == '\0' ? ' ' : c;
    }
    out.begin_object().number("pid", atoi(entry->d_name)).text("command", command).end_object();
  }
  if (proc != nullptr) {
    closedir(proc);
  }
  out.end_array();
}

}  // namespace

const Entry kReportCommands[] = {
    {"report", 0, report},   {"mounts", 0, mounts},       {"clocks", 0, clocks},
    {"keyring", 0, keyring}, {"processes", 0, processes}, {nullptr, 0, nullptr},
};

}  // namespace probe
