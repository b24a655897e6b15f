#include "launcher/trace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "engine/trace.h"
#include "launcher/json_text.h"
#include "sys/clock.h"
#include "sys/scan.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {
namespace {

using engine::trace;
using engine::TraceLane;
using engine::TraceRecord;

constexpr int64_t kMicrosecond = 1000;

// Two looks at both clocks tell how long a tick is.
struct Clocks {
  int64_t ticks = 0;
  int64_t nanoseconds = 0;

  [[nodiscard]] static Clocks now() noexcept { return {sys::ticks(), sys::monotonic_ns()}; }
};

struct TraceFile {
  sys::UniqueFd fd;
  const char* verb = "";
  int64_t begin = 0;  // nanoseconds, as all that follow
  int64_t exec = 0;
  int64_t left = 0;
  Clocks first;
  bool init_named = false;
  bool member_named = false;
  sys::Failure failure;
};

// One a process, and never destroyed: a signal's end comes past every destructor.
constinit TraceFile* file = nullptr;
int64_t beginning = 0;

// What an event tells beside its times; "" is left out.
struct Event {
  const char* category;
  const char* name;
  const char* what = "";
  const char* pointer = "";
  bool open = false;
};

void add_number(sys::Array<char>& out, const char* key, int64_t number) {
  char buffer[32];
  add_text(out, key);
  add_text(out, sys::Text(buffer).add(static_cast<uint64_t>(number)).c_str());
}

// Microseconds, with three decimals.
void add_microseconds(sys::Array<char>& out, const char* key, int64_t nanoseconds) {
  const int64_t time = nanoseconds > 0 ? nanoseconds : 0;
  char buffer[16];
  add_number(out, key, time / kMicrosecond);
  sys::Text text(buffer);
  const auto rest = static_cast<uint64_t>(time % kMicrosecond);
  text.add(rest < 10 ? ".00" : rest < 100 ? ".0" : ".").add(rest);
  add_text(out, text.c_str());
}

void add_argument(sys::Array<char>& out, const char* key, const char* value, bool& any) {
  if (*value != 0) {
    add_text(out, any ? ",\"" : ",\"args\":{\"");
    add_text(out, key);
    add_text(out, "\":");
    add_json_string(out, value);
    any = true;
  }
}

void add_process(sys::Array<char>& out, pid_t pid) {
  add_number(out, ",\"pid\":", pid);
  add_number(out, ",\"tid\":", pid);
}

void add_event(sys::Array<char>& out, const Event& event, pid_t pid, int64_t begin, int64_t end) {
  add_text(out, ",\n{\"ph\":\"X\",\"cat\":");
  add_json_string(out, event.category);
  add_text(out, ",\"name\":");
  add_json_string(out, event.name);
  add_process(out, pid);
  add_microseconds(out, ",\"ts\":", begin);
  add_microseconds(out, ",\"dur\":", end - begin);
  bool any = false;
  add_argument(out, "what", event.what, any);
  add_argument(out, "pointer", event.pointer, any);
  add_argument(out, "state", event.open ? "not ended" : "", any);
  add_text(out, any ? "}}" : "}");
}

void add_process_name(sys::Array<char>& out, pid_t pid, const char* first, const char* second) {
  char buffer[128];
  add_text(out, "{\"ph\":\"M\",\"name\":\"process_name\"");
  add_process(out, pid);
  add_text(out, ",\"args\":{\"name\":");
  add_json_string(out, sys::Text(buffer).add(first).add(second).c_str());
  add_text(out, "}}");
}

[[nodiscard]] int64_t to_nanoseconds(int64_t ticks, const Clocks& last) noexcept {
  const Clocks& first = file->first;
  const auto passed = static_cast<double>(last.ticks - first.ticks);
  if (passed <= 0) {
    return first.nanoseconds;
  }
  const double share = static_cast<double>(ticks - first.ticks) / passed;
  return first.nanoseconds +
         static_cast<int64_t>(share * static_cast<double>(last.nanoseconds - first.nanoseconds));
}

// The records of `lane` that have ended, and at the end of the call also the others, up to now.
// True: nothing is left of it.
bool add_lane(sys::Array<char>& out, TraceLane& lane, bool all, const Clocks& now) {
  const pid_t self = ::getpid();
  bool empty = true;
  const uint32_t used = lane.used.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < used; ++i) {
    TraceRecord& record = lane.records[i];
    const int64_t end = record.end.load(std::memory_order_acquire);
    if (record.told || (end == 0 && !all)) {
      empty = empty && record.told;
      continue;
    }
    record.told = true;
    const pid_t inits = record.member ? trace.member_pid : trace.init_pid;
    const bool open = end == 0;
    const int64_t begin = to_nanoseconds(record.begin, now);
    const int64_t until = open ? now.nanoseconds : to_nanoseconds(end, now);
    char name[48];
    sys::Text(name).add(record.name);
    // Those of operations are the plan's: "makeCgroup".
    name[0] = static_cast<char>(name[0] >= 'A' && name[0] <= 'Z' ? name[0] + ('a' - 'A') : name[0]);
    add_event(out, {record.category, name, record.what, record.pointer, open},
              &lane == trace.lane ? self : inits, begin, until < begin ? begin : until);
  }
  return empty;
}

void add_inits_names(sys::Array<char>& out) {
  if (trace.init_pid != 0 && !file->init_named) {
    file->init_named = true;
    add_text(out, ",\n");
    add_process_name(out, trace.init_pid, "init", "");
  }
  if (trace.member_pid != 0 && !file->member_named) {
    file->member_named = true;
    add_text(out, ",\n");
    add_process_name(out, trace.member_pid, "the process", "");
  }
}

void append(const sys::Array<char>& text) noexcept {
  const sys::Failure failure =
      sys::write_all(file->fd.get(), text.data(), text.size(), "the file of --trace");
  file->failure = file->failure ? file->failure : failure;
}

void add_records(sys::Array<char>& out, bool all) {
  const Clocks now = Clocks::now();
  add_inits_names(out);
  if (add_lane(out, *trace.lane, all, now)) {
    trace.lane->used = 0;  // events goes on for ever
  }
  if (trace.init != nullptr) {
    (void)add_lane(out, *trace.init, all, now);
  }
}

[[nodiscard]] bool start(sys::UniqueFd fd) noexcept {
  static TraceFile room;
  if (!trace.turn_on()) {
    return false;
  }
  file = &room;
  room.fd = std::move(fd);
  room.first = Clocks::now();
  return true;
}

}  // namespace

void note_beginning(int argc, const char* const* argv) noexcept {
  constexpr char kOption[] = "--trace";
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], kOption, sizeof kOption - 1) == 0) {
      beginning = sys::monotonic_ns();
      return;
    }
  }
}

bool trace_for_node(char* out, size_t size) noexcept {
  if (beginning == 0) {
    return false;
  }
  sys::Text(out, size)
      .add(kTraceVariable)
      .add("=-1:")
      .add(static_cast<uint64_t>(beginning))
      .add(":")
      .add(static_cast<uint64_t>(sys::monotonic_ns()))
      .add(":0");
  return true;
}

sys::Failure open_trace(const char* path, const char* verb) {
  // Not to wait for the reader of a fifo that has none, fifo(7); see also src/host/trace.ts.
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  sys::UniqueFd fd(::open(path, kFlags, 0644));
  if (!fd.valid() || ::fcntl(fd.get(), F_SETFL, O_APPEND) != 0) {
    return sys::fail("open", path);
  }
  if (!start(std::move(fd))) {
    return sys::fail("mmap", "the memory of --trace");
  }
  file->begin = beginning;
  file->verb = verb;
  sys::Array<char> text;
  add_text(text, "[\n");
  add_process_name(text, ::getpid(), "tsrunc ", verb);
  append(text);  // what cannot be written is told at the end
  return sys::kOk;
}

void adopt_trace(const char* words) noexcept {
  const int64_t now = sys::monotonic_ns();
  int fd = -1;
  int64_t begin = 0;
  int64_t exec = 0;
  int64_t left = 0;
  if (!sys::Scan(words)
           .number(fd)
           .word(":")
           .number(begin)
           .word(":")
           .number(exec)
           .word(":")
           .number(left)
           .complete() ||
      fd <= STDERR_FILENO || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || ::fcntl(fd, F_SETFL, O_APPEND) != 0 ||
      !start(sys::UniqueFd(fd))) {
    return;
  }
  file->begin = begin;
  sys::Array<char> text;
  if (exec != 0) {
    add_event(text, {"launcher", "start node"}, ::getpid(), begin, exec);
    add_event(text, {"node", "node"}, ::getpid(), exec, now);
  }
  if (left != 0) {
    add_event(text, {"node", "become tsrunc again"}, ::getpid(), left, now);
  }
  append(text);
}

void name_traced_verb(const char* verb) noexcept {
  if (file != nullptr) {
    file->verb = verb;
  }
}

void abandon_trace() noexcept {
  file = file == nullptr ? nullptr : (file->fd.reset(), nullptr);
}

bool hand_trace_on(char* out, size_t size) noexcept {
  if (file == nullptr || ::fcntl(file->fd.get(), F_SETFD, 0) != 0) {
    return false;
  }
  flush_trace();
  sys::Text(out, size)
      .add(kTraceVariable)
      .add("=")
      .add(static_cast<uint64_t>(file->fd.get()))
      .add(":")
      .add(static_cast<uint64_t>(file->begin))
      .add(":0:")
      .add(static_cast<uint64_t>(sys::monotonic_ns()));
  return true;
}

void flush_trace() noexcept {
  if (file == nullptr) {
    return;
  }
  sys::Array<char> text;
  add_records(text, false);
  append(text);
}

sys::Failure finish_trace() noexcept {
  if (file == nullptr) {
    return sys::kOk;
  }
  sys::Array<char> text;
  add_records(text, true);
  add_event(text, {"verb", file->verb}, ::getpid(), file->begin, sys::monotonic_ns());
  const uint32_t lost = trace.lane->lost + (trace.init == nullptr ? 0 : trace.init->lost);
  if (lost > 0) {
    add_text(text, ",\n{\"ph\":\"i\",\"s\":\"g\",\"name\":\"spans without room\"");
    add_process(text, ::getpid());
    add_number(text, ",\"args\":{\"count\":", lost);
    add_text(text, "}}");
  }
  add_text(text, "\n]\n");
  append(text);
  const sys::Failure failure = file->failure;
  file->fd.reset();
  file = nullptr;
  return failure;
}

}  // namespace tsrunc::launcher
