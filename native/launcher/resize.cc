// resize: the size of a terminal that a monitor holds.
#include "launcher/describe.h"
#include "launcher/monitored.h"
#include "launcher/verbs.h"
#include "sys/scan.h"

namespace tsrunc::launcher {
namespace {

constexpr int kFailed = 1;

}  // namespace

int run_resize(const Arguments& arguments, Logger& log) {
  uint16_t rows = 0;
  uint16_t columns = 0;
  if (!sys::Scan(arguments.positionals[1]).number(rows).complete() ||
      !sys::Scan(arguments.positionals[2]).number(columns).complete()) {
    log.error("ROWS and COLUMNS are numbers up to 65535");
    return kFailed;
  }
  Monitored monitored;
  if (!open_monitored(arguments, log, monitored)) {
    return kFailed;
  }
  if (!monitored.any()) {
    log.error("the container has no monitor (create or run it with --monitor)");
    return kFailed;
  }
  const char size[] = {static_cast<char>(rows & 0xff), static_cast<char>(rows >> 8),
                       static_cast<char>(columns & 0xff), static_cast<char>(columns >> 8)};
  static MonitorCall call;
  sys::Failure failure = call.connect(monitored.directory.get());
  if (!failure) {
    failure = call.send(kFrameResize, size, sizeof size);
  }
  if (!failure) {
    failure = call.receive();
  }
  if (failure) {
    log.error(Sentence("resize the terminal", failure).text);
  }
  return failure ? kFailed : 0;
}

}  // namespace tsrunc::launcher
