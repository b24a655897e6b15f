// native/engine: what is recorded for --trace, and by whom.
#include "engine/trace.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using engine::Span;
using engine::trace;

[[nodiscard]] wire::Str text(const char* value) {
  return {value, static_cast<uint32_t>(std::strlen(value))};
}

// One process runs all tests.
class Off {
 public:
  Off() { trace = {}; }
  ~Off() { trace = {}; }
  Off(const Off&) = delete;
  Off& operator=(const Off&) = delete;
};

TEST(trace_records_nothing_unless_asked) {
  const Off off;
  Span span("category", "name");
  span.next("category", "other");
  CHECK(trace.lane == nullptr);
  wire::Plan plan;
  CHECK(!trace.share(plan) && trace.init == nullptr);
}

TEST(trace_of_one_process) {
  const Off off;
  CHECK(trace.turn_on());
  wire::Op op;
  op.kind = wire::OpKind::kMountFs;
  op.what = text("mount \"/proc\"");
  op.pointer = text("/mounts/0");
  {
    const Span outer("state", "outer");
    const Span inner(op);
    CHECK(trace.lane->used == 2 && trace.lane->records[1].end == 0);
  }
  const engine::TraceRecord& outer = trace.lane->records[0];
  const engine::TraceRecord& inner = trace.lane->records[1];
  CHECK_TEXT(outer.name, "outer");
  CHECK_TEXT(inner.name, "MountFs");
  CHECK_TEXT(inner.category, "mounts");
  CHECK_TEXT(inner.what, "mount \"/proc\"");
  CHECK_TEXT(inner.pointer, "/mounts/0");
  CHECK(outer.begin <= inner.begin && inner.begin <= inner.end && inner.end <= outer.end);
}

TEST(trace_cuts_texts_and_counts_what_has_no_room) {
  const Off off;
  CHECK(trace.turn_on());
  char words[512] = {};
  std::memset(words, 'x', sizeof words - 1);
  wire::Op op;
  op.kind = wire::OpKind::kExec;
  op.what = text(words);
  op.pointer = text(words);
  { const Span span(op); }
  const engine::TraceRecord& record = trace.lane->records[0];
  constexpr size_t kLast = sizeof record.what - 1;
  CHECK(record.what[kLast - 1] == 'x' && record.what[kLast] == 0);
  for (uint32_t i = 0; i < trace.lane->room + 2; ++i) {
    const Span span("a", "b");
  }
  CHECK(trace.lane->used == trace.lane->room && trace.lane->lost == 3);
}

TEST(trace_of_an_init_that_was_killed) {
  const Off off;
  CHECK(trace.turn_on());
  wire::Plan plan;
  CHECK(!trace.share(plan));
  const pid_t pid = ::fork();
  if (pid == 0) {
    trace.enter_init();
    { const Span done("a", "done"); }
    const Span open("a", "open");
    (void)::kill(::getpid(), 9);
  }
  int status = 0;
  CHECK(pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
  CHECK(trace.init->used == 2 && trace.init->records[0].end != 0 && trace.init->records[1].end == 0);
  CHECK(trace.lane->used == 0);
  // execve(2) is the end of what it was at.
  trace.executed();
  CHECK(trace.init->records[1].end != 0);
}

}  // namespace
}  // namespace tsrunc::tests
