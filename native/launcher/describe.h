// The user's sentence, all but the "tsrunc VERB: " that the log puts in front:
//   WHAT: [CALL PATH: ]reason (ERRNO) (config.json POINTER)
#pragma once

#include "engine/failure_record.h"
#include "sys/array.h"
#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::launcher {

class Sentence {
  // Not in the object: whoever may have to say something would carry the room for it on its stack, and each
  // function that it calls would have a page of the stack to itself.
  sys::Array<char> room_;

 public:
  const char* text;

  Sentence(const wire::Plan& plan, const engine::FailureRecord& record) noexcept;
  // `what`: what was being done.
  Sentence(const char* what, const sys::Failure& failure) noexcept;
};

}  // namespace tsrunc::launcher
