#include "launcher/plan_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace tsrunc::launcher {
namespace {

constexpr char kEmpty[] = "invalid argument: the plan is empty";

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
  if (size == 0) {
    return sys::fail(EINVAL, "mmap", nullptr, kEmpty);
  }
  void* plan = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (plan == MAP_FAILED) {
    return sys::fail("mmap");
  }
  plan_ = plan;
  plan_size_ = size;
  return decode(plan, size, out);
}

sys::Failure PlanMemory::decode(const void* bytes, size_t size, wire::Plan& out) {
  const size_t room = wire::arena_size(size);
  void* arena_memory =
      ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena_memory == MAP_FAILED) {
    return sys::fail("mmap");
  }
  arena_ = arena_memory;
  arena_size_ = room;
  wire::Arena arena(arena_, arena_size_);
  if (!wire::decode_plan(static_cast<const uint8_t*>(bytes), size, arena, out)) {
    return sys::fail(EBADMSG, "decode", nullptr, "the plan is not one of this version of tsrunc");
  }
  return sys::kOk;
}

}  // namespace tsrunc::launcher
