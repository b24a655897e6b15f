// How a failure crosses the border of a process: one fixed record, as init sends it to the host over the sync
// socket or the exec.result fifo, and as the engine hands it to the launcher, which turns it into the user's
// sentence.
#pragma once

#include <cstdint>
#include <type_traits>

#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

struct FailureRecord {
  uint32_t list = 0;   // wire::List
  uint32_t op = 0;     // index in that list; kNoOp: not one operation's
  int32_t code = 0;    // errno
  int32_t status = 0;  // hooks: wait status, else 0
  char call[32] = {};
  char suffix[48] = {};   // behind the operation's JSON pointer: which part of the property it was
  char pointer[32] = {};  // instead of both: another property that was the cause
  char path[512] = {};
  char detail[1024] = {};  // replaces the errno's text
};
static_assert(std::is_trivially_copyable_v<FailureRecord>);

inline constexpr uint32_t kNoOp = 0xffffffff;

// Copies what `failure` points to; texts that do not fit are cut. Allocates nothing.
void record(FailureRecord& out, wire::List list, uint32_t op, const sys::Failure& failure) noexcept;

}  // namespace tsrunc::engine
