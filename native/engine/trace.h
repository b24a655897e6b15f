// --trace: where the time of a call goes. A span is one record, of an operation or of a phase of a verb.
//
// Init and the host side record side by side: init's records lie in memory that both share, made before
// clone, so that what an init that was killed has recorded is there too. Init makes no system call for a
// span: behind its filter each could be the last one.
//
// Without --trace there is no memory, and a span costs one comparison. Files are the launcher's business
// (launcher/trace_file.h).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

struct TraceRecord {
  const char* category;
  const char* name;
  int64_t begin;             // sys::ticks()
  std::atomic<int64_t> end;  // 0: it goes on
  bool member;               // exec: by the process inside of the container's pid namespace
  bool told;                 // written to the file; the host side's
  char what[110];            // for a person, or empty
  char pointer[96];          // JSON pointer into config.json, or empty
};

// One process's records, in the order in which they began.
struct TraceLane {
  std::atomic<uint32_t> used;
  uint32_t room;
  uint32_t lost;  // those that had no room
  TraceRecord records[];
};

struct Trace {
  TraceLane* lane = nullptr;  // of this process; nullptr: nobody traces
  TraceLane* init = nullptr;  // host side: what it shares with init
  bool member = false;        // init: becomeMember has run
  pid_t init_pid = 0;         // as tsrunc sees them
  pid_t member_pid = 0;

  // Makes this process's lane. False without memory.
  [[nodiscard]] bool turn_on() noexcept;
  // Before clone: makes init's lane, where this process traces at all.
  [[nodiscard]] sys::Failure share(const wire::Plan& plan) noexcept;
  // In init.
  void enter_init() noexcept { lane = init; }
  // The program runs: what init had not ended, execve(2) has.
  void executed() noexcept;

  // nullptr: no room.
  [[nodiscard]] TraceRecord* begin(const char* category, const char* name) noexcept;
  [[nodiscard]] TraceRecord* begin(const wire::Op& op) noexcept;
};

extern Trace trace;

// "makeCgroup" is "MakeCgroup" here.
[[nodiscard]] const char* op_name(wire::OpKind kind) noexcept;
[[nodiscard]] const char* op_category(wire::OpKind kind) noexcept;

void end_record(TraceRecord& record) noexcept;

// From its construction to its end of life. Texts live for ever.
class Span {
 public:
  Span(const char* category, const char* name) noexcept {
    if (trace.lane != nullptr) [[unlikely]] {
      record_ = trace.begin(category, name);
    }
  }
  explicit Span(const wire::Op& op) noexcept {
    if (trace.lane != nullptr) [[unlikely]] {
      record_ = trace.begin(op);
    }
  }
  ~Span() { end(); }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  void end() noexcept {
    if (record_ != nullptr) [[unlikely]] {
      end_record(*record_);
      record_ = nullptr;
    }
  }
  // Ends, and goes on as another one.
  void next(const char* category, const char* name) noexcept {
    end();
    if (trace.lane != nullptr) [[unlikely]] {
      record_ = trace.begin(category, name);
    }
  }

 private:
  TraceRecord* record_ = nullptr;
};

}  // namespace tsrunc::engine
