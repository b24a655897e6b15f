#include "launcher/plan_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

namespace tsrunc::launcher {
namespace {

const sys::Failure kEmpty = sys::fail(EINVAL, "mmap", nullptr, "invalid argument: the plan is empty");

}  // namespace

PlanMemory::~PlanMemory() {
  if (plan_ != nullptr) {
    (void)::munmap(plan_, plan_size_);
  }
  if (arena_ != nullptr) {
    (void)::munmap(arena_, arena_size_);
  }
}

sys::Failure PlanMemory::load(int fd, wire::Plan& out) {
  constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 && errno != EINVAL) {
    return sys::fail("fcntl");
  }
  if (seals < 0 || (seals & kNeeded) != kNeeded) {
    return sys::fail(EPERM, "fcntl", nullptr,
                     "operation not permitted: the plan is not a sealed memory file");
  }
  struct stat about {};
  if (::fstat(fd, &about) != 0) {
    return sys::fail("fstat");
  }
  const auto size = static_cast<size_t>(about.st_size);
  void* plan = size == 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (plan == MAP_FAILED) {
    return size == 0 ? kEmpty : sys::fail("mmap");
  }
  plan_ = plan;
  plan_size_ = size;
  return decode(out);
}

sys::Failure PlanMemory::copy(const void* bytes, size_t size, wire::Plan& out) {
  void* plan = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (plan == MAP_FAILED) {
    return size == 0 ? kEmpty : sys::fail("mmap");
  }
  plan_ = plan;
  plan_size_ = size;
  std::memcpy(plan, bytes, size);
  return decode(out);
}

sys::Failure PlanMemory::decode(wire::Plan& out) {
  const size_t room = wire::arena_size(plan_size_);
  void* arena_memory =
      ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena_memory == MAP_FAILED) {
    return sys::fail("mmap");
  }
  arena_ = arena_memory;
  arena_size_ = room;
  wire::Arena arena(arena_, arena_size_);
  if (!wire::decode_plan(static_cast<const uint8_t*>(plan_), plan_size_, arena, out)) {
    return sys::fail(EBADMSG, "decode", nullptr, "the plan is not one of this version of tsrunc");
  }
  return sys::kOk;
}

}  // namespace tsrunc::launcher
