// `events`: statistics now, or a stream of them with what happens in between, as runc prints them.
#include <poll.h>

#include <cerrno>

#include "engine/init_process.h"
#include "engine/trace.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/oom_watch.h"
#include "launcher/stats.h"
#include "launcher/trace_file.h"
#include "launcher/verbs.h"
#include "sys/clock.h"
#include "sys/small_file.h"

namespace tsrunc::launcher {
namespace {

using sys::Array;
using sys::Failure;
using sys::kOk;

class Printer {
 public:
  Printer(const char* id, const wire::Plan& plan, const CgroupDirectories& cgroups) noexcept
      : id_(id), plan_(plan), cgroups_(cgroups) {}

  [[nodiscard]] Failure stats() {
    const engine::Span span("cgroup", "read the statistics");
    JsonWriter json(begin("stats"));
    json.text("id", id_);
    TSRUNC_TRY(add_stats(plan_, cgroups_, json));
    return end();
  }

  [[nodiscard]] Failure oom() {
    JsonWriter json(begin("oom"));
    json.text("id", id_);
    return end();
  }

 private:
  // `{"type":"TYPE",`
  [[nodiscard]] Array<char>& begin(const char* type) {
    line_.clear();
    add_text(line_, "{\"type\":\"");
    add_text(line_, type);
    add_text(line_, "\",");
    return line_;
  }
  [[nodiscard]] Failure end() {
    add_text(line_, "}\n");
    return sys::write_all(STDOUT_FILENO, line_.data(), line_.size(), "stdout");
  }

  const char* id_;
  const wire::Plan& plan_;
  const CgroupDirectories& cgroups_;
  Array<char> line_;
};

// Until init has ended.
[[nodiscard]] Failure stream(const sys::UniqueFd& init, OomWatch& oom, int64_t interval, Printer& printer) {
  int64_t next = sys::monotonic_ms() + interval;
  for (;;) {
    pollfd fds[] = {{init.get(), POLLIN, 0}, {oom.fd(), oom.events(), 0}};
    const int64_t rest = next - sys::monotonic_ms();
    const int64_t wait = rest < 0 ? 0 : rest < INT32_MAX ? rest : INT32_MAX;
    if (::poll(fds, 2, static_cast<int>(wait)) < 0 && errno != EINTR) {
      return sys::fail("poll");
    }
    // The end of init may be what the kernel did for want of memory.
    if ((fds[1].revents != 0 || fds[0].revents != 0) && oom.happened()) {
      TSRUNC_TRY(printer.oom());
    }
    if (fds[0].revents != 0) {
      return kOk;
    }
    if (sys::monotonic_ms() >= next) {
      TSRUNC_TRY(printer.stats());
      flush_trace();  // a signal ends this, without another word
      next += interval;
    }
  }
}

[[nodiscard]] Failure follow(const Container& container, int64_t interval, const CgroupDirectories& cgroups,
                             Printer& printer) {
  OomWatch oom;
  TSRUNC_TRY(oom.open(cgroups));
  const auto init = engine::open_process(container.saved.init);
  if (!init.ok()) {
    return init.failure().code == ESRCH ? kOk : init.failure();
  }
  return stream(*init, oom, interval, printer);
}

}  // namespace

int run_events(const Arguments& arguments, Logger& log) {
  const char* id = arguments.positionals[0];
  Container container;
  if (const Failure failure = container.open(arguments.root, id, log); failure) {
    return report_missing(log, id, failure);
  }
  if (container.status == engine::Status::kStopped || container.status == engine::Status::kCreating) {
    char text[512];
    log.error(sys::Text(text).add("container with id ").add(id).add(" is not running").c_str());
    return 1;
  }
  const CgroupDirectories cgroups(container.plan.header.cgroup_paths);
  Printer printer(id, container.plan, cgroups);
  const auto run = [&]() -> Failure {
    if (container.plan.header.cgroup_paths.count == 0) {
      return sys::fail(EOPNOTSUPP, "open", nullptr, "the container has no cgroup, and so nobody counts");
    }
    return arguments.stats ? printer.stats() : follow(container, arguments.interval_ms, cgroups, printer);
  };
  if (const Failure failure = run(); failure) {
    log.error(Sentence("read the statistics", failure).text);
    return 1;
  }
  return 0;
}

}  // namespace tsrunc::launcher
