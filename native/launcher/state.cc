#include <unistd.h>

#include "engine/engine.h"
#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/json_text.h"
#include "launcher/state_text.h"
#include "launcher/verbs.h"
#include "sys/small_file.h"

namespace tsrunc::launcher {

wire::Header header_of(const Container& container, const char* id, sys::Array<char>& room) {
  if (container.has_plan) {
    return container.plan.header;
  }
  wire::Header header;
  room.clear();
  add_json_string(room, id);
  const auto size = static_cast<uint32_t>(room.size());
  room.push(0);
  header.id_json = {room.data(), size};
  return header;
}

void add_state(sys::Array<char>& out, const wire::Header& header, const Container& container) {
  const bool stopped = container.status == engine::Status::kStopped;
  const char* status = engine::status_name(container.status);
  const pid_t pid = stopped ? 0 : container.saved.init.pid;
  for (size_t room = 4096 + 2 * size_t{header.annotations_json.size};; room *= 2) {
    const size_t at = out.size();
    out.resize(at + room);
    const size_t length =
        engine::format_state(header, pid, status, container.saved.created, out.data() + at, room);
    out.resize(at + length);
    if (length > 0) {
      return;
    }
  }
}

int run_state(const Arguments& arguments, Logger& log) {
  const char* id = arguments.positionals[0];
  Container container;
  if (const sys::Failure failure = container.open(arguments.root, id, log); failure) {
    return report_missing(log, id, failure);
  }
  sys::Array<char> room;
  sys::Array<char> out;
  add_state(out, header_of(container, id, room), container);
  if (const sys::Failure failure = sys::write_all(STDOUT_FILENO, out.data(), out.size(), "stdout"); failure) {
    log.error(Sentence("print the state", failure).text);
    return 1;
  }
  return 0;
}

}  // namespace tsrunc::launcher
