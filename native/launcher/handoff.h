// What the launcher notes of its caller before it starts node, because node changes it in the shared process:
// it raises RLIMIT_NOFILE, ignores SIGPIPE, resets other dispositions, marks inherited descriptors
// close-on-exec and sets O_NONBLOCK on some. The addon gives all of it back before it executes tsrunc again.
//
// The record is text in a memfd, so that TypeScript can read it too:
//   tsrunc-handoff 1
//   pid N
//   nofile SOFT HARD           decimal, as from getrlimit(2)
//   mask HEX                   blocked signals, bit N-1 is signal N
//   ignored HEX                ignored signals
//   fd N STATUS FLAGS          each open descriptor: F_GETFL and F_GETFD, decimal
// A planner, which gives nothing back, is told the pid and the numbers of the descriptors only.
//
// Variables between the two: _TSRUNC_HANDOFF=RECORD_FD to node, _TSRUNC_PLAN=PLAN_FD:HEIR[:LOCK_FD] back to
// tsrunc (HEIR: pid of a child to be reaped, or 0; addon/memory_heir.h. LOCK_FD: addon/container_lock.h).
// A warm call (warm.h) that cannot become the sealed copy of tsrunc in place (become_in_place.h) executes it
// with _TSRUNC_ASKED=SOCKET_FD:EXECUTABLE_FD:MILLISECONDS:GREETED; where the planner has no plan, it goes by
// _TSRUNC_COLD=cold or _TSRUNC_COLD=stale back to the executable. Node finds a request whose plan it is to
// keep for later calls by _TSRUNC_CONSIDERED=REQUEST_FD (kept_plans.h). None outlives the start of the
// program that reads it.
#pragma once

#include <sys/resource.h>

#include <cstdint>

#include "sys/array.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

inline constexpr char kHandoffVariable[] = "_TSRUNC_HANDOFF";
inline constexpr char kPlanVariable[] = "_TSRUNC_PLAN";
inline constexpr char kAskedVariable[] = "_TSRUNC_ASKED";
inline constexpr char kColdVariable[] = "_TSRUNC_COLD";
inline constexpr char kConsideredVariable[] = "_TSRUNC_CONSIDERED";

// Writes the record of this process into a new memfd (not close-on-exec: node must inherit it).
[[nodiscard]] sys::Result<sys::UniqueFd> note_caller();

// Appends what a planner is told of this process. `own`: a descriptor that the caller has not.
[[nodiscard]] sys::Failure add_caller(sys::Array<char>& out, int own);

// Gives back what the record in `fd` says. In the addon this is the last thing before execve(2).
[[nodiscard]] sys::Failure restore_caller(int fd);

}  // namespace tsrunc::launcher
