// The user's sentence, all but the "tsrunc VERB: " that the log puts in front:
//   WHAT: [CALL PATH: ]reason (ERRNO) (config.json POINTER)
#pragma once

#include "engine/failure_record.h"
#include "sys/result.h"
#include "sys/text.h"
#include "wire/plan.h"

namespace tsrunc::launcher {

struct Sentence {
  char text[8192];

  Sentence(const wire::Plan& plan, const engine::FailureRecord& record) noexcept;
  // `what`: what was being done.
  Sentence(const char* what, const sys::Failure& failure) noexcept;
};

}  // namespace tsrunc::launcher
