#include "engine/host/user_namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

// What the holder tells before it waits: the errno of each step, or 0.
struct Held {
  int entered;
  int closed;
};

// Waits for the end of the pipe, which is tsrunc's end.
[[noreturn]] void hold(int join_fd, int ready, int until) noexcept {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Held held{};
  held.entered = join_fd >= 0 && ::setns(join_fd, CLONE_NEWUSER) < 0 ? errno : 0;
  // Nothing of tsrunc's is held open here, above all not the socket whose end init waits for. Neither
  // descriptor is 0 or 1: tsrunc has its standard ones open.
  const bool placed = ::dup2(until, 0) >= 0 && ::dup2(ready, 1) >= 0;
  held.closed = placed ? sys::close_range(2, ~0U, 0).code : errno;
  [[maybe_unused]] const ssize_t told = ::write(1, &held, sizeof held);
  (void)::close(1);
  char byte = 0;
  while (::read(0, &byte, 1) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

const char* why_no_namespace(int code) noexcept {
  switch (code) {
    case ENOSPC:
      return "no space left on device: the limit of user namespaces is reached "
             "(/proc/sys/user/max_user_namespaces)";
    case EUSERS:
      return "too many users: user namespaces are nested too deeply";
    default:
      return nullptr;
  }
}

}  // namespace

NamespaceHolder::~NamespaceHolder() {
  if (pid_ > 0) {
    (void)::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

Failure NamespaceHolder::start(uint64_t flags, int join_fd) noexcept {
  int until[2];
  int ready[2];
  if (::pipe2(until, O_CLOEXEC) < 0) {
    return fail("pipe2");
  }
  const UniqueFd until_end(until[0]);
  pipe_.reset(until[1]);
  if (::pipe2(ready, O_CLOEXEC) < 0) {
    return fail("pipe2");
  }
  const UniqueFd reader(ready[0]);
  UniqueFd writer(ready[1]);
  clone_args args{};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  const long pid = sys::clone3(args);
  if (pid < 0) {
    return fail(errno, "clone3", nullptr, why_no_namespace(errno));
  }
  if (pid == 0) {
    hold(join_fd, writer.get(), until_end.get());
  }
  pid_ = static_cast<pid_t>(pid);
  writer.reset();
  Held held{};
  ssize_t got = 0;
  do {
    got = ::read(reader.get(), &held, sizeof held);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof held)) {
    return fail(ECHILD, "clone3", nullptr, "the process that was to hold the user namespace ended early");
  }
  if (held.entered != 0) {
    return fail(held.entered, "setns", nullptr, nullptr);
  }
  return held.closed == 0 ? kOk : fail(held.closed, "close_range", nullptr, nullptr);
}

Failure NamespaceHolder::make() noexcept {
  return start(CLONE_NEWUSER, -1);
}

Failure NamespaceHolder::join(int fd, const char* path) noexcept {
  Failure failure = start(0, fd);
  return failure ? fail(failure.code, failure.call, path, failure.detail) : kOk;
}

Result<UniqueFd> user_namespace_of(pid_t pid) noexcept {
  char path[48];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(pid)).add("/ns/user");
  UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return fail("open", "/proc/PID/ns/user");
  }
  return fd;
}

Result<UniqueFd> open_user_namespace(const char* path) noexcept {
  Result<UniqueFd> fd = sys::open_host(path, O_RDONLY);
  // ioctl_ns(2): ENOTTY for what is no namespace.
  if (fd.ok() && ::ioctl(fd->get(), NS_GET_NSTYPE) != CLONE_NEWUSER) {
    return fail(EINVAL, "open", path, "invalid argument: it is not a user namespace");
  }
  return fd;
}

Failure write_map(pid_t pid, const char* name, const wire::Str& text) noexcept {
  char path[64];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(pid)).add("/").add(name);
  Failure failure = sys::write_file(AT_FDCWD, path, text.data, text.size);
  if (failure) {
    return fail(failure.code, failure.call, name, failure.detail);
  }
  return kOk;
}

}  // namespace tsrunc::engine
