#include "shim/resident.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/node.h"
#include "sys/kernel.h"

namespace tsrunc::shim {
namespace {

constexpr int kLink = 3;

[[noreturn]] void become_resident(const char* place, int link) {
  char name[] = "containerd-shim-tsrunc-v2";
  char verb[] = "resident";
  char* words[] = {name, verb, const_cast<char*>(place), nullptr};
  sys::reset_signals();
  if ((link == kLink ? ::fcntl(link, F_SETFD, 0) == 0 : ::dup2(link, kLink) == kLink) &&
      !sys::close_range(kLink + 1, ~0U, CLOSE_RANGE_CLOEXEC)) {
    (void)launcher::run_shim_node(3, words);
  }
  ::_exit(1);
}

}  // namespace

sys::Failure Resident::start(const char* place) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return sys::fail("socketpair", "the resident process");
  }
  sys::UniqueFd own(ends[0]);
  const sys::UniqueFd other(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    become_resident(place, other.get());
  }
  if (child < 0) {
    return sys::fail("fork", "the resident process");
  }
  pid_ = child;
  socket_ = std::move(own);
  return sys::kOk;
}

void Resident::ended() noexcept {
  pid_ = -1;
  socket_.reset();
  in.drop(in.size());
  out.drop(out.size());
}

void Resident::tell(uint32_t connection, char kind, const char* frame, size_t size) {
  char header[kMessageHeader];
  write_u32(header, connection);
  header[4] = kind;
  out.append(header, sizeof header);
  out.append(frame, size);
}

}  // namespace tsrunc::shim
