#include "engine/monitor_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/init_process.h"
#include "sys/checksum_text.h"
#include "sys/directory.h"
#include "sys/kernel.h"
#include "sys/scan.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// The time in which a monitor writes what is at hand and ends by itself.
constexpr int kPatienceMilliseconds = 2000;
constexpr size_t kLargest = 256;

void add(sys::Text& out, const MonitorPids& pids) noexcept {
  out.add("tsrunc-monitor 1\nmonitor ").add(static_cast<uint64_t>(pids.monitor.pid));
  out.add(" ").add(pids.monitor.start_time);
  out.add("\nprocess ").add(static_cast<uint64_t>(pids.process.pid));
  out.add(" ").add(pids.process.start_time).add("\n");
  const sys::ChecksumText sum(out.c_str(), out.size());
  out.add("sum ").add(sum.text, sizeof sum.text).add("\n");
}

void end_monitor(int dir) noexcept {
  MonitorPids pids;
  if (read_monitor_pids(dir, pids) || pids.monitor.pid == ::getpid()) {
    return;
  }
  const auto pidfd = open_process(pids.monitor);
  if (!pidfd.ok()) {
    return;
  }
  (void)sys::pidfd_send_signal_raw(pidfd->get(), SIGTERM);
  if (!wait_for_exit(*pidfd, kPatienceMilliseconds)) {
    (void)sys::pidfd_send_signal_raw(pidfd->get(), SIGKILL);
    (void)wait_for_exit(*pidfd, kPatienceMilliseconds);
  }
}

[[nodiscard]] DIR* read_directory(int fd) noexcept {
  UniqueFd again(::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* files = again.valid() ? ::fdopendir(again.get()) : nullptr;
  if (files != nullptr) {
    (void)again.release();
  }
  return files;
}

// Calls remove(name) for each entry. False: something is left.
template <typename Remove>
[[nodiscard]] bool empty(int fd, Remove remove) {
  DIR* files = read_directory(fd);
  if (files == nullptr) {
    return false;
  }
  bool all = true;
  while (const dirent* entry = sys::next_entry(files)) {
    const bool dots = std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0;
    all = (dots || remove(entry->d_name)) && all;
  }
  all = all && errno == 0;
  ::closedir(files);
  return all;
}

[[nodiscard]] UniqueFd open_directory(int parent, const char* name) noexcept {
  return UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

}  // namespace

Failure write_monitor_pids(int dir, const MonitorPids& pids) {
  char buffer[kLargest];
  sys::Text text(buffer);
  add(text, pids);
  const UniqueFd fd(::openat(dir, "pid", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return fd.valid() ? sys::write_all(fd.get(), text.c_str(), text.size(), "pid") : sys::fail("open", "pid");
}

Failure read_monitor_pids(int dir, MonitorPids& out) {
  char read[kLargest];
  const auto size = sys::read_file(dir, "pid", read, sizeof read);
  if (!size.ok()) {
    return size.failure();
  }
  MonitorPids pids;
  sys::Scan words(read);
  words.word("tsrunc-monitor 1\nmonitor ").number(pids.monitor.pid).word(" ").number(pids.monitor.start_time);
  words.word("\nprocess ").number(pids.process.pid).word(" ").number(pids.process.start_time);
  // The text has one form only, so that what is not the same text was not written here.
  char again[kLargest];
  sys::Text text(again);
  add(text, pids);
  if (*size != text.size() || std::memcmp(read, again, *size) != 0) {
    return sys::fail(EBADMSG, "read", "pid", "the file of the monitor's process id is damaged");
  }
  out = pids;
  return kOk;
}

bool is_monitored(int monitors, const char* name) {
  const UniqueFd dir = open_directory(monitors, name);
  MonitorPids pids;
  if (!dir.valid() || read_monitor_pids(dir.get(), pids)) {
    return dir.valid();
  }
  // Behind the end of the process it stays for its clients.
  if (::faccessat(dir.get(), "exit", F_OK, 0) == 0) {
    return false;
  }
  const auto monitor = open_process(pids.monitor);
  return monitor.ok() || monitor.failure().code != ESRCH;
}

bool remove_monitor(int monitors, const char* name) {
  const UniqueFd dir = open_directory(monitors, name);
  if (!dir.valid()) {
    return errno == ENOENT;
  }
  end_monitor(dir.get());
  const bool emptied = empty(
      dir.get(), [&](const char* file) { return ::unlinkat(dir.get(), file, 0) == 0 || errno == ENOENT; });
  return emptied && ::unlinkat(monitors, name, AT_REMOVEDIR) == 0;
}

bool remove_monitors(int state) {
  const UniqueFd monitors = open_directory(state, kMonitorDir);
  if (!monitors.valid()) {
    return errno == ENOENT;
  }
  const bool emptied =
      empty(monitors.get(), [&](const char* name) { return remove_monitor(monitors.get(), name); });
  return emptied && ::unlinkat(state, kMonitorDir, AT_REMOVEDIR) == 0;
}

}  // namespace tsrunc::engine
