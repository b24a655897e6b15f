#include "engine/trace.h"

#include <sys/mman.h>

#include "sys/clock.h"
#include "sys/text.h"

namespace tsrunc::engine {

constinit Trace trace;

namespace {

// Pages that nobody touches cost nothing.
constexpr uint32_t kHostRoom = 1U << 16;
// Beside its operations init has only a few.
constexpr uint32_t kInitRoom = 16;

struct OpName {
  wire::OpKind kind;
  const char* name;
};
#define TSRUNC_NAME(name) {wire::OpKind::k##name, #name},
constexpr OpName kOpNames[] = {TSRUNC_HOST_ONLY_OPS(TSRUNC_NAME) TSRUNC_INIT_OPS(TSRUNC_NAME)};
#undef TSRUNC_NAME

[[nodiscard]] TraceLane* make_lane(uint32_t room, int flags) noexcept {
  const size_t size = sizeof(TraceLane) + room * sizeof(TraceRecord);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  if (memory == MAP_FAILED) {
    return nullptr;
  }
  auto* lane = static_cast<TraceLane*>(memory);  // all zero
  lane->room = room;
  return lane;
}

}  // namespace

bool Trace::turn_on() noexcept {
  lane = lane == nullptr ? make_lane(kHostRoom, MAP_PRIVATE | MAP_NORESERVE) : lane;
  return lane != nullptr;
}

sys::Failure Trace::share(const wire::Plan& plan) noexcept {
  if (lane == nullptr || init != nullptr) {
    return sys::kOk;
  }
  const uint32_t count = plan.list(wire::List::kInit).count + plan.list(wire::List::kInitStart).count;
  // Populated: pages that init touched first would be those of the container's memory limit.
  init = make_lane(count + kInitRoom, MAP_SHARED | MAP_POPULATE);
  return init != nullptr ? sys::kOk : sys::fail("mmap", "the memory of --trace");
}

void Trace::executed() noexcept {
  if (init == nullptr) {
    return;
  }
  const uint32_t used = init->used;
  for (uint32_t i = 0; i < used; ++i) {
    if (init->records[i].end == 0) {
      end_record(init->records[i]);
    }
  }
}

TraceRecord* Trace::begin(const char* category, const char* name) noexcept {
  const uint32_t at = lane->used;
  if (at == lane->room) {
    ++lane->lost;
    return nullptr;
  }
  TraceRecord& record = lane->records[at];
  record.category = category;
  record.name = name;
  record.member = member;
  record.what[0] = 0;
  record.pointer[0] = 0;
  record.told = false;
  record.end.store(0, std::memory_order_relaxed);
  record.begin = sys::ticks();
  lane->used.store(at + 1, std::memory_order_release);
  return &record;
}

TraceRecord* Trace::begin(const wire::Op& op) noexcept {
  TraceRecord* record = begin(op_category(op.kind), op_name(op.kind));
  if (record != nullptr) {
    sys::Text(record->what).add(op.what.empty() ? "" : op.what.data);
    sys::Text(record->pointer).add(op.pointer.empty() ? "" : op.pointer.data);
  }
  return record;
}

void end_record(TraceRecord& record) noexcept {
  record.end.store(sys::ticks(), std::memory_order_release);
}

const char* op_name(wire::OpKind kind) noexcept {
  for (const OpName& row : kOpNames) {
    if (row.kind == kind) {
      return row.name;
    }
  }
  return "";
}

}  // namespace tsrunc::engine
