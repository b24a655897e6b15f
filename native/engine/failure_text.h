// A failure as a sentence: "WHAT: [CALL PATH: ]reason (ERRNO)".
#pragma once

#include "engine/failure_record.h"
#include "sys/result.h"
#include "sys/text.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// `what`: what was being done, or "".
void add_failure(sys::Text& out, const char* what, const sys::Failure& failure) noexcept;

// The operation that a record speaks of, or nullptr.
[[nodiscard]] const wire::Op* op_of(const wire::Plan& plan, const FailureRecord& record) noexcept;

// The same for a record, and " (config.json POINTER)" where its operation has one.
void add_record(sys::Text& out, const wire::Plan& plan, const FailureRecord& record) noexcept;

}  // namespace tsrunc::engine
