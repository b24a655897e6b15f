// `gc`: takes away what calls have left that were killed. A container is left alone as long as its process
// lives, as somebody holds its lock (a create that is at work), and where it has stopped: then it is its
// caller's to delete, unless a run in the foreground was to do that and is gone.
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/owner.h"
#include "launcher/container.h"
#include "launcher/container_names.h"
#include "launcher/describe.h"
#include "launcher/json_text.h"
#include "launcher/verbs.h"
#include "sys/small_file.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;

// Between the making of its directory and its lock a create cannot be told from a dead one.
constexpr time_t kYoungSeconds = 10;

[[nodiscard]] bool has_file(const Container& container, const char* name) noexcept {
  return ::faccessat(container.state.fd(), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

[[nodiscard]] bool is_young(const Container& container) noexcept {
  struct stat about {};
  return ::fstat(container.state.fd(), &about) != 0 || ::time(nullptr) - about.st_mtime < kYoungSeconds;
}

// Why nobody needs the container, whose lock is ours, any more; nullptr: somebody may.
[[nodiscard]] const char* reason(const Container& container) noexcept {
  if (container.damaged && container.saved.init.pid == 0) {
    return nullptr;  // it may run
  }
  if (container.saved.init.pid == 0) {
    const bool begun = has_file(container, "journal") || has_file(container, "plan");
    return begun || !is_young(container) ? "create was interrupted" : nullptr;
  }
  if (container.status != engine::Status::kStopped) {
    return nullptr;
  }
  if (!has_file(container, "plan")) {
    return "delete was interrupted";
  }
  return engine::has_dead_owner(container.saved) ? "the run that was to delete it has ended" : nullptr;
}

// EBUSY: somebody is at work on it. ENOENT: somebody has taken it away.
[[nodiscard]] Failure take(const Arguments& arguments, const char* id, Logger& log, Container& container) {
  // What is damaged is told.
  TSRUNC_TRY(container.open(arguments.root, id, log, Damage::kTold));
  TSRUNC_TRY(container.check_owner());
  TSRUNC_TRY(container.state.lock(0));
  return container.refresh();
}

[[nodiscard]] Failure tell(bool dry, const char* id, const char* why) {
  sys::Array<char> line;
  for (const char* part : {dry ? "would remove " : "removed ", id, ": ", why, "\n"}) {
    add_text(line, part);
  }
  return sys::write_all(STDOUT_FILENO, line.data(), line.size(), "stdout");
}

[[nodiscard]] int collect(const Arguments& arguments, const char* id, Logger& log) {
  Container container;
  if (const Failure failure = take(arguments, id, log, container); failure) {
    const bool others = failure.code == EBUSY || failure.code == ENOENT || failure.code == EPERM;
    return others ? 0 : report_missing(log, id, failure);
  }
  const char* why = reason(container);
  if (why == nullptr) {
    return 0;
  }
  if (!arguments.dry_run) {
    engine::HostContext context(container.plan, container.state, log);
    engine::FailureRecord record;
    if (!engine::destroy(context, record)) {
      log.error(Sentence(container.plan, record).text);
      return 1;
    }
  }
  if (const Failure failure = tell(arguments.dry_run, id, why); failure) {
    log.error(Sentence("print what was removed", failure).text);
    return 1;
  }
  return 0;
}

}  // namespace

int run_gc(const Arguments& arguments, Logger& log) {
  sys::Array<ContainerName> names;
  if (const Failure failure = read_container_names(arguments.root, names); failure) {
    log.error(Sentence("", failure).text);
    return 1;
  }
  int result = 0;
  for (const ContainerName& name : names) {
    result = collect(arguments, name.text, log) != 0 ? 1 : result;
  }
  return result;
}

}  // namespace tsrunc::launcher
