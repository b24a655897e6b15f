#include "engine/engine.h"
#include "engine/failure_text.h"
#include "engine/host_run.h"
#include "sys/text.h"

namespace tsrunc::engine {

bool update(HostContext& context, FailureRecord& why) {
  if (run_list(context, wire::List::kCreate, why)) {
    return true;
  }
  const char* file = "";
  if (const sys::Failure failure = context.cgroup_undo.restore(file); failure) {
    char text[1024];
    sys::Text out(text);
    out.add("the old value of ").add(file).add(" cannot be put back");
    char line[1536];
    sys::Text sentence(line);
    add_failure(sentence, text, failure);
    context.log.warn(line);
  }
  return false;
}

}  // namespace tsrunc::engine
