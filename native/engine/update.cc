#include "engine/engine.h"
#include "engine/failure_text.h"
#include "engine/host/systemd_properties.h"
#include "engine/host_run.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

void warn_of_loss(HostContext& context, const char* what, const sys::Failure& failure) {
  char line[1536];
  sys::Text sentence(line);
  add_failure(sentence, what, failure);
  context.log.warn(line);
}

}  // namespace

bool update(HostContext& context, FailureRecord& why) {
  if (run_list(context, wire::List::kCreate, why)) {
    return true;
  }
  // systemd first: it writes files itself.
  if (const sys::Failure failure = undo_unit_properties(context); failure) {
    warn_of_loss(context, "the old properties of the unit of systemd cannot be put back", failure);
  }
  const char* file = "";
  if (const sys::Failure failure = context.cgroup_undo.restore(file); failure) {
    char text[1024];
    sys::Text(text).add("the old value of ").add(file).add(" cannot be put back");
    warn_of_loss(context, text, failure);
  }
  return false;
}

}  // namespace tsrunc::engine
