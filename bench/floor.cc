// floor ROOTFS PROGRAM [ARG…]
//
// The least kernel work that starts and reaps the container which `spec` describes: five namespaces and a
// cgroup namespace, a cgroup in every v1 hierarchy or one on v2, the default mounts, devices and links,
// pivot_root, read-only and masked paths, a read-only root, three capabilities, no_new_privs, exec. It reads
// no configuration, keeps no state and undoes nothing when it fails; the benchmarks quote every runtime's
// time as a ratio to it.

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

[[noreturn]] void die(const char* what, const char* path = "") {
  std::fprintf(stderr, "floor: %s %s: %s\n", what, path, std::strerror(errno));
  _exit(125);
}

void check(long result, const char* what, const char* path = "") {
  if (result < 0) {
    die(what, path);
  }
}

// ---- cgroups
// ------------------------------------------------------------------------------------------------------

constexpr const char* kCgroupRoot = "/sys/fs/cgroup";
constexpr size_t kMaxHierarchies = 24;

struct Cgroups {
  std::array<std::array<char, PATH_MAX>, kMaxHierarchies> path;
  size_t count = 0;
  bool unified = false;
};

void add_cgroup(Cgroups& cgroups, const char* parent, const char* name) {
  if (cgroups.count == kMaxHierarchies) {
    errno = E2BIG;
    die("count hierarchies in", kCgroupRoot);
  }
  auto& path = cgroups.path[cgroups.count];
  const int length = std::snprintf(path.data(), path.size(), "%s/%s", parent, name);
  if (length < 0 || static_cast<size_t>(length) >= path.size()) {
    errno = ENAMETOOLONG;
    die("name cgroup in", parent);
  }
  check(mkdir(path.data(), 0755), "mkdir", path.data());
  ++cgroups.count;
}

// v1 and hybrid: one per mounted hierarchy. Names that are links (cpu -> cpu,cpuacct) are the same hierarchy
// again; the unified tree of a hybrid host carries no controllers.
void make_v1_cgroups(Cgroups& cgroups, const char* name) {
  DIR* root = opendir(kCgroupRoot);
  if (root == nullptr) {
    die("opendir", kCgroupRoot);
  }
  while (const dirent* entry = readdir(root)) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || std::strcmp(entry->d_name, "unified") == 0) {
      continue;
    }
    char hierarchy[PATH_MAX];
    char procs[PATH_MAX + 16];
    std::snprintf(hierarchy, sizeof hierarchy, "%s/%s", kCgroupRoot, entry->d_name);
    std::snprintf(procs, sizeof procs, "%s/cgroup.procs", hierarchy);
    if (access(procs, F_OK) == 0) {
      add_cgroup(cgroups, hierarchy, name);
    }
  }
  closedir(root);
}

void make_cgroups(Cgroups& cgroups) {
  char name[32];
  std::snprintf(name, sizeof name, "floor-%d", getpid());
  cgroups.unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  if (cgroups.unified) {
    add_cgroup(cgroups, kCgroupRoot, name);
  } else {
    make_v1_cgroups(cgroups, name);
  }
}

// cpuset on v1 takes no task before both files are written: cgroup-v1/cpusets.rst.
void copy_cpuset_file(const char* cgroup, const char* file) {
  char from[PATH_MAX];
  char to[PATH_MAX + 64];
  char value[256];
  std::snprintf(from, sizeof from, "%s/cpuset/%s", kCgroupRoot, file);
  std::snprintf(to, sizeof to, "%s/%s", cgroup, file);
  const int source = open(from, O_RDONLY | O_CLOEXEC);
  check(source, "open", from);
  const ssize_t length = read(source, value, sizeof value);
  check(length, "read", from);
  close(source);
  const int target = open(to, O_WRONLY | O_CLOEXEC);
  check(target, "open", to);
  check(write(target, value, static_cast<size_t>(length)), "write", to);
  close(target);
}

void join_v1_cgroups(const Cgroups& cgroups, pid_t pid) {
  char text[16];
  const int length = std::snprintf(text, sizeof text, "%d", pid);
  for (size_t i = 0; i < cgroups.count; ++i) {
    const char* cgroup = cgroups.path[i].data();
    if (std::strstr(cgroup, "/cpuset/") != nullptr) {
      copy_cpuset_file(cgroup, "cpuset.cpus");
      copy_cpuset_file(cgroup, "cpuset.mems");
    }
    char procs[PATH_MAX + 16];
    std::snprintf(procs, sizeof procs, "%s/cgroup.procs", cgroup);
    const int fd = open(procs, O_WRONLY | O_CLOEXEC);
    check(fd, "open", procs);
    check(write(fd, text, static_cast<size_t>(length)), "write", procs);
    close(fd);
  }
}

void remove_cgroups(const Cgroups& cgroups) {
  for (size_t i = 0; i < cgroups.count; ++i) {
    // A reaped task may hold its cgroup for a moment longer.
    for (int attempt = 0; rmdir(cgroups.path[i].data()) < 0; ++attempt) {
      if (errno != EBUSY || attempt == 1000) {
        die("rmdir", cgroups.path[i].data());
      }
      usleep(100);
    }
  }
}

// ---- the container's side
// -----------------------------------------------------------------------------------------

void make_directory(const char* path) {
  check(mkdir(path, 0755), "mkdir", path);
}

void mount_defaults() {
  check(mount("proc", "proc", "proc", 0, nullptr), "mount", "/proc");
  check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "mount", "/dev");
  make_directory("dev/pts");
  make_directory("dev/shm");
  make_directory("dev/mqueue");
  check(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
              "newinstance,ptmxmode=0666,mode=0620,gid=5"),
        "mount", "/dev/pts");
  constexpr unsigned long kInert = MS_NOSUID | MS_NOEXEC | MS_NODEV;
  check(mount("shm", "dev/shm", "tmpfs", kInert, "mode=1777,size=65536k"), "mount", "/dev/shm");
  check(mount("mqueue", "dev/mqueue", "mqueue", kInert, nullptr), "mount", "/dev/mqueue");
  check(mount("sysfs", "sys", "sysfs", kInert | MS_RDONLY, nullptr), "mount", "/sys");
}

// config-linux.md "Default Devices" and runtime-linux.md "/dev symbolic links".
void make_devices() {
  struct Device {
    const char* path;
    unsigned major;
    unsigned minor;
  };
  constexpr Device kDevices[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
                                 {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  for (const Device& device : kDevices) {
    check(mknod(device.path, S_IFCHR | 0666, makedev(device.major, device.minor)), "mknod", device.path);
  }
  check(symlink("/proc/self/fd", "dev/fd"), "symlink", "/dev/fd");
  check(symlink("pts/ptmx", "dev/ptmx"), "symlink", "/dev/ptmx");
  check(symlink("/proc/self/fd/0", "dev/stdin"), "symlink", "/dev/stdin");
  check(symlink("/proc/self/fd/1", "dev/stdout"), "symlink", "/dev/stdout");
  check(symlink("/proc/self/fd/2", "dev/stderr"), "symlink", "/dev/stderr");
}

// Paths that this kernel does not have are passed over, as config-linux.md "Masked Paths" has runtimes do.
void hide_paths() {
  for (const char* path : {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}) {
    if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) == 0) {
      check(mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), "remount", path);
    } else if (errno != ENOENT) {
      die("bind", path);
    }
  }
  for (const char* path :
       {"/proc/kcore", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug"}) {
    if (mount("/dev/null", path, nullptr, MS_BIND, nullptr) < 0 && errno != ENOENT) {
      die("mask", path);
    }
  }
  for (const char* path : {"/proc/scsi", "/sys/firmware"}) {
    if (mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=0k") < 0 && errno != ENOENT) {
      die("mask", path);
    }
  }
}

// The bounding set alone: with no_new_privs and uid 0, what exec gives to the program is bounded by it.
void drop_capabilities() {
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (capability == CAP_KILL || capability == CAP_NET_BIND_SERVICE || capability == CAP_AUDIT_WRITE) {
      continue;
    }
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL) {
      die("drop a capability");
    }
  }
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
}

[[noreturn]] void run_container(const char* rootfs, char** argv, int go) {
  char byte = 0;
  if (read(go, &byte, 1) != 1) {
    die("wait for the parent");
  }
  check(unshare(CLONE_NEWCGROUP), "unshare cgroup namespace");
  check(sethostname("floor", 5), "sethostname");
  check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make private", "/");
  check(mount(rootfs, rootfs, nullptr, MS_BIND | MS_REC, nullptr), "bind", rootfs);
  check(chdir(rootfs), "chdir", rootfs);
  mount_defaults();
  make_devices();
  check(syscall(SYS_pivot_root, ".", "."), "pivot_root", rootfs);
  check(umount2(".", MNT_DETACH), "umount the old root");
  check(chdir("/"), "chdir", "/");
  hide_paths();
  check(mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), "make read-only", "/");
  drop_capabilities();
  execv(argv[0], argv);
  die("exec", argv[0]);
}

pid_t clone_container(const Cgroups& cgroups) {
  clone_args args{};
  args.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  args.exit_signal = SIGCHLD;
  int cgroup = -1;
  if (cgroups.unified) {
    cgroup = open(cgroups.path[0].data(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    check(cgroup, "open", cgroups.path[0].data());
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup);
  }
  const long pid = syscall(SYS_clone3, &args, sizeof args);
  check(pid, "clone3");
  if (pid != 0 && cgroup >= 0) {
    close(cgroup);
  }
  return static_cast<pid_t>(pid);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: floor ROOTFS PROGRAM [ARG…]\n");
    return 125;
  }
  static Cgroups cgroups;
  make_cgroups(cgroups);
  int go[2];
  check(pipe2(go, O_CLOEXEC), "pipe2");
  const pid_t pid = clone_container(cgroups);
  if (pid == 0) {
    run_container(argv[1], argv + 2, go[0]);
  }
  if (!cgroups.unified) {
    join_v1_cgroups(cgroups, pid);
  }
  if (write(go[1], "x", 1) != 1) {
    die("let the container go");
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      die("waitpid");
    }
  }
  remove_cgroups(cgroups);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
