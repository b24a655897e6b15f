#include "engine/init/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;

constexpr unsigned kBits = 64;

uint64_t join(uint32_t low, uint32_t high) noexcept {
  return low | (uint64_t{high} << 32);
}

Failure get_permitted(uint64_t& out) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) < 0) {
    return fail("capget");
  }
  out = join(data[0].permitted, data[1].permitted);
  return kOk;
}

Failure set_sets(const CapabilitySets& sets) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  for (unsigned half = 0; half < _LINUX_CAPABILITY_U32S_3; ++half) {
    const unsigned shift = 32 * half;
    data[half].effective = static_cast<uint32_t>(sets.effective >> shift);
    data[half].permitted = static_cast<uint32_t>(sets.permitted >> shift);
    data[half].inheritable = static_cast<uint32_t>(sets.inheritable >> shift);
  }
  return ::syscall(SYS_capset, &header, data) < 0 ? fail("capset") : kOk;
}

// capset(2): what is added to the inheritable set has to be in the bounding set and, without CAP_SETPCAP,
// permitted.
uint64_t inheritable_of(uint64_t wanted, uint64_t permitted) noexcept {
  uint64_t allowed = 0;
  for (unsigned bit = 0; bit < kBits; ++bit) {
    const uint64_t mask = uint64_t{1} << bit;
    if ((wanted & permitted & mask) != 0 && ::prctl(PR_CAPBSET_READ, bit, 0, 0, 0) == 1) {
      allowed |= mask;
    }
  }
  return allowed;
}

// capabilities(7): an ambient capability must be permitted and inheritable.
Failure set_ambient(uint64_t ambient, uint64_t& missing) noexcept {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
    return fail("prctl");
  }
  for (unsigned bit = 0; bit < kBits; ++bit) {
    const uint64_t mask = uint64_t{1} << bit;
    if ((ambient & mask) != 0 && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0) < 0) {
      missing |= mask;
    }
  }
  return kOk;
}

}  // namespace

Failure set_capabilities(CapabilitySets wanted, uint64_t& missing) noexcept {
  uint64_t permitted = 0;
  TSRUNC_TRY(get_permitted(permitted));
  missing = (wanted.permitted | wanted.effective) & ~permitted;
  const uint64_t inheritable = inheritable_of(wanted.inheritable, permitted);
  missing |= wanted.inheritable & ~inheritable;
  wanted.inheritable = inheritable;
  wanted.permitted &= permitted;
  // capset(2): effective must be a subset of the new permitted set.
  wanted.effective &= wanted.permitted;
  TSRUNC_TRY(set_sets(wanted));
  return set_ambient(wanted.ambient, missing);
}

}  // namespace tsrunc::engine
