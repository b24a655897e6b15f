// Namespaces and names: what makes the process an init before it has a root of its own.
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "engine/init/init_context.h"
#include "sys/kernel.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// keyctl(2) permission bits: the possessor's all, and view, read, search of the user (keyrings(7)).
constexpr unsigned kPossessorAll = 0x3f000000;
constexpr unsigned kUserSearch = 0x00080000;
constexpr unsigned kUserView = 0x00010000;
constexpr unsigned kUserRead = 0x00020000;

}  // namespace

Failure run(InitContext& /*context*/, const wire::BecomeRoot& op) noexcept {
  // In this order: after setresuid the right to change groups may be gone. setgroups needs a mapped gid
  // first.
  if (sys::setresgid_raw(0) < 0) {
    return fail("setresgid");
  }
  if (op.setgroups && sys::setgroups_raw(0, nullptr) < 0) {
    return fail("setgroups");
  }
  return sys::setresuid_raw(0) < 0 ? fail("setresuid") : kOk;
}

Failure run(InitContext& /*context*/, const wire::NewSession& /*op*/) noexcept {
  return ::setsid() < 0 ? fail("setsid") : kOk;
}

Failure run(InitContext& /*context*/, const wire::JoinKeyring& op) noexcept {
  const long ring = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, op.name.data, 0, 0, 0);
  if (ring < 0) {
    // A kernel without keys has none to protect.
    if (errno == ENOSYS) {
      return kOk;
    }
    if (errno == EDQUOT) {
      return fail(
          EDQUOT, "keyctl", nullptr,
          "disk quota exceeded: too many keys of this user; raise /proc/sys/kernel/keys/maxkeys or use "
          "--no-new-keyring");
    }
    return fail("keyctl");
  }
  if (::syscall(SYS_keyctl, KEYCTL_SETPERM, ring, kPossessorAll | kUserSearch | kUserView | kUserRead, 0, 0) <
      0) {
    return fail("keyctl");
  }
  return kOk;
}

Failure run(InitContext& /*context*/, const wire::UnshareCgroup& /*op*/) noexcept {
  return ::unshare(CLONE_NEWCGROUP) < 0 ? fail("unshare") : kOk;
}

Failure run(InitContext& /*context*/, const wire::BringUpLoopback& /*op*/) noexcept {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return fail("socket");
  }
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) < 0) {
    return fail("ioctl", "lo");
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0 ? fail("ioctl", "lo") : kOk;
}

Failure run(InitContext& /*context*/, const wire::SetHostname& op) noexcept {
  return ::sethostname(op.name.data, op.name.size) < 0 ? fail("sethostname", op.name.data) : kOk;
}

Failure run(InitContext& /*context*/, const wire::SetDomainname& op) noexcept {
  return ::setdomainname(op.name.data, op.name.size) < 0 ? fail("setdomainname", op.name.data) : kOk;
}

Failure run(InitContext& /*context*/, const wire::SetPersonality& op) noexcept {
  return ::personality(op.persona) < 0 ? fail("personality") : kOk;
}

}  // namespace tsrunc::engine
