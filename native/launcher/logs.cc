// logs: what a monitor has kept of a process's output.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/init_process.h"
#include "launcher/describe.h"
#include "launcher/monitor_log_reader.h"
#include "launcher/monitored.h"
#include "launcher/verbs.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int kFailed = 1;

class Logs {
 public:
  Logs(const Arguments& arguments, Logger& log) noexcept : arguments_(arguments), log_(log) {}

  [[nodiscard]] int run() {
    if (!open_monitored(arguments_, log_, monitored_)) {
      return kFailed;
    }
    Failure failure = monitored_.any() ? load_log_place(monitored_.directory.get(), place_)
                                       : sys::fail(ENOENT, "open", nullptr, nullptr);
    if (failure.code == ENOENT) {
      log_.error("there is no log (create or run with --monitor and --log-driver)");
      return kFailed;
    }
    if (!failure && arguments_.timestamps && place_.driver == LogDriver::kRaw) {
      log_.error("a raw log has no times: --timestamps needs --log-driver k8s-file or json-file");
      return kFailed;
    }
    if (!failure) {
      failure = show();
    }
    if (failure) {
      log_.error(Sentence("read the log", failure).text);
    }
    return failure ? kFailed : 0;
  }

 private:
  [[nodiscard]] Failure show() {
    TSRUNC_TRY(watch());
    LogReader reader(place_, arguments_.timestamps);
    if (arguments_.tail >= 0) {
      uint64_t lines = 0;
      LogReader counter(place_, false);
      TSRUNC_TRY(counter.count(lines));
      const auto wanted = static_cast<uint64_t>(arguments_.tail);
      reader.skip(lines > wanted ? lines - wanted : 0);
    }
    TSRUNC_TRY(reader.print());
    if (!arguments_.follow) {
      return kOk;
    }
    // Behind the process's end nothing is written any more, so that one more look sees all.
    for (bool ended = false; !ended;) {
      TSRUNC_TRY(await(ended));
      TSRUNC_TRY(reader.print());
    }
    return kOk;
  }

  [[nodiscard]] Failure watch() {
    if (!arguments_.follow) {
      return kOk;
    }
    char directory[PATH_MAX];
    sys::Text(directory).add(place_.path);
    *(std::strrchr(directory, '/') + 1) = 0;
    changes_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!changes_.valid() ||
        ::inotify_add_watch(changes_.get(), directory, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
      return sys::fail("inotify_add_watch", place_.path);
    }
    auto monitor = engine::open_process(monitored_.pids.monitor);
    if (!monitor.ok()) {
      return monitor.failure().code == ESRCH ? kOk : monitor.failure();
    }
    monitor_ = std::move(*monitor);
    return kOk;
  }

  // Something was written, or the monitor has ended.
  [[nodiscard]] Failure await(bool& ended) {
    ended = !monitor_.valid();
    pollfd fds[] = {{changes_.get(), POLLIN, 0}, {monitor_.get(), POLLIN, 0}};
    if (!ended && ::poll(fds, 2, -1) < 0 && errno != EINTR) {
      return sys::fail("poll");
    }
    ended = ended || fds[1].revents != 0;
    char events[4096];
    while (::read(changes_.get(), events, sizeof events) > 0) {
    }
    return kOk;
  }

  const Arguments& arguments_;
  Logger& log_;
  Monitored monitored_;
  LogPlace place_;
  sys::UniqueFd changes_;
  sys::UniqueFd monitor_;
};

}  // namespace

int run_logs(const Arguments& arguments, Logger& log) {
  static Logs logs(arguments, log);
  return logs.run();
}

}  // namespace tsrunc::launcher
