// create: from nothing to a container that waits for start.
#include <sys/time.h>

#include <cstring>
#include <ctime>

#include "engine/engine.h"
#include "engine/host_run.h"
#include "engine/sync.h"
#include "engine/trace.h"
#include "sys/text.h"
#include "sys/utc.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::Text;

// `number` with leading zeros.
void add_padded(Text& text, uint64_t number, unsigned digits) {
  uint64_t limit = 1;
  for (unsigned i = 1; i < digits; ++i) {
    limit *= 10;
  }
  for (; number < limit && limit > 1; limit /= 10) {
    text.add("0");
  }
  text.add(number);
}

// RFC 3339 with nanoseconds, UTC, as the peers write the time of creation.
void format_now(char* out, size_t size) {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  const sys::Utc parts = sys::utc(now.tv_sec);
  Text text(out, size);
  add_padded(text, static_cast<uint64_t>(parts.year), 4);
  add_padded(text.add("-"), parts.month, 2);
  add_padded(text.add("-"), parts.day, 2);
  add_padded(text.add("T"), parts.hour, 2);
  add_padded(text.add(":"), parts.minute, 2);
  add_padded(text.add(":"), parts.second, 2);
  add_padded(text.add("."), static_cast<uint64_t>(now.tv_nsec), 9);
  text.add("Z");
}

// The state is on disk before init is told that it may outlive us: whoever is killed in between, either the
// pid can be found or there is no process.
Failure commit(HostContext& context) {
  const Span span("state", "save the state");
  SavedState saved;
  saved.init = context.init;
  format_now(saved.created, sizeof saved.created);
  TSRUNC_TRY(context.state.save_state(saved));
  TSRUNC_TRY(send_step(context.sync.get(), wire::Step::kCommitted));
  // Init closes its end once it no longer ends with its parent; before that we must not end.
  Message message;
  Failure failure = receive(context.sync.get(), message, nullptr);
  context.sync.reset();
  context.net_namespace.reset();
  if (!failure && message.type == MessageType::kFailure) {
    context.init_failure = message.record;
    context.init_failed = true;
    return sys::fail(message.record.code, "init", nullptr, nullptr);
  }
  return failure.code == ECONNRESET || !failure ? sys::kOk : failure;
}

}  // namespace

bool create(HostContext& context, FailureRecord& why) {
  Span make("state", "make the state directory");
  Failure made = context.state.make(context.plan);
  make.end();
  if (made) {
    record(why, wire::List::kCreate, kNoOp, made);
    return false;
  }
  bool ok = run_list(context, wire::List::kCreate, why);
  if (ok) {
    if (Failure failure = commit(context); failure) {
      record(why, wire::List::kCreate, kNoOp, failure);
      why = context.init_failed ? context.init_failure : why;
      ok = false;
    }
  }
  if (!ok) {
    FailureRecord second;
    // What could not be undone is the smaller news; it is told as a warning by destroy's caller only if it is
    // there.
    if (!destroy(context, second)) {
      char text[sizeof second.detail + sizeof second.path + 64];
      Text(text).add("cleaning up: ").add(second.call).add(" ").add(second.path).add(" ").add(second.detail);
      context.log.warn(text);
    }
  }
  return ok;
}

}  // namespace tsrunc::engine
