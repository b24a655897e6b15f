#include "launcher/describe.h"

#include "engine/failure_text.h"

namespace tsrunc::launcher {

Sentence::Sentence(const wire::Plan& plan, const engine::FailureRecord& record) noexcept {
  sys::Text out(text);
  engine::add_record(out, plan, record);
}

Sentence::Sentence(const char* what, const sys::Failure& failure) noexcept {
  sys::Text out(text);
  engine::add_failure(out, what, failure);
}

}  // namespace tsrunc::launcher
