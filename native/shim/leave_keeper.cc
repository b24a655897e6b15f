#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/keeper.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::shim {
namespace {

constexpr off_t kMostLog = off_t{1024} * 1024;

// What the keeper and the resident process have to say. Begun anew when it is long.
[[nodiscard]] int open_log(const Place& place) noexcept {
  const int file = ::openat(place.fd.get(), "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  struct stat about {};
  if (file >= 0 && ::fstat(file, &about) == 0 && about.st_size > kMostLog && ::ftruncate(file, 0) != 0) {
    return -1;
  }
  return file;
}

// containerd reads the output of start to its end, so that nothing of it may stay open.
[[nodiscard]] bool take_streams(int log) noexcept {
  const int null = ::open("/dev/null", O_RDWR);
  return null >= 0 && log >= 0 && ::dup2(null, STDIN_FILENO) == STDIN_FILENO &&
         ::dup2(null, STDOUT_FILENO) == STDOUT_FILENO && ::dup2(log, STDERR_FILENO) == STDERR_FILENO;
}

// Where events go to, if containerd has not said it: beside its own socket.
[[nodiscard]] bool name_event_address(const char* address) noexcept {
  constexpr char kVariable[] = "TTRPC_ADDRESS";
  char text[256];
  sys::Text beside(text);
  beside.add(address).add(".ttrpc");
  return *address == 0 || (!beside.cut() && ::setenv(kVariable, text, 0) == 0);
}

[[noreturn]] void become_keeper(const Flags& flags, const Place& place, int listener) {
  constexpr int kListener = 3;
  char self[] = "/proc/self/exe";
  char option[] = "-namespace";
  char address[] = "-address";
  char verb[] = "keeper";
  char name[sizeof kName];
  sys::Text(name).add(kName);
  char number[8];
  sys::Text(number).add(uint64_t{kListener});
  sys::reset_signals();
  ::umask(022);
  // dup2(2) clears close-on-exec, unless both are the same descriptor.
  if (::setsid() >= 0 && ::chdir("/") == 0 && take_streams(open_log(place)) &&
      (listener == kListener ? ::fcntl(listener, F_SETFD, 0) == 0
                             : ::dup2(listener, kListener) == kListener) &&
      !sys::close_range(kListener + 1, ~0U, CLOSE_RANGE_CLOEXEC) &&
      ::setenv(kListenerVariable, number, 1) == 0 && ::setenv("NAMESPACE", flags.name_space, 1) == 0 &&
      name_event_address(flags.address)) {
    char* words[] = {
        name, option, const_cast<char*>(flags.name_space), address, const_cast<char*>(flags.address),
        verb, nullptr};
    (void)::execve(self, words, environ);
  }
  ::_exit(1);
}

}  // namespace

sys::Failure leave_keeper(const Flags& flags, const Place& place, sys::UniqueFd listener) {
  const pid_t child = ::fork();
  if (child == 0) {
    become_keeper(flags, place, listener.get());
  }
  return child > 0 ? sys::kOk : sys::fail("fork", "the keeper");
}

}  // namespace tsrunc::shim
