#include "launcher/planner_refusal.h"

#include <cstring>

#include "launcher/container.h"
#include "launcher/describe.h"
#include "launcher/log.h"
#include "launcher/planned.h"
#include "launcher/trace_file.h"
#include "sys/text.h"

namespace tsrunc::launcher {

void add_root(const PlannerCall& call, sys::Array<char>& out) {
  if (call.root != nullptr) {
    out.append(call.root, std::strlen(call.root));
  } else {
    add_default_root(out);
  }
  out.push(0);
}

int failed_code(const PlannerCall& call) noexcept {
  constexpr int kFailed = 1;
  return call.kind == PlanKind::kProcess ? kExecFailed : kFailed;
}

int refuse(const PlannerCall& call, const char* text) {
  Logger log(call.verb);
  const int failed = failed_code(call);
  if (const sys::Failure failure = log.open(call.log); failure) {
    log.error(Sentence("open the log", failure).text);
    return failed;
  }
  log.error(text);
  (void)finish_trace();
  return failed;
}

int refuse(const PlannerCall& call, const char* root, const sys::Failure& failure) {
  char what[4352];
  sys::Text(what).add("the planner of ").add(root).add(" (--planner on; `tsrunc planner` starts one)");
  return refuse(call, Sentence(what, failure).text);
}

}  // namespace tsrunc::launcher
