#include "engine/failure_record.h"

#include "sys/text.h"

namespace tsrunc::engine {
namespace {

template <size_t N>
void copy(char (&out)[N], const char* text) noexcept {
  sys::Text(out).add(text == nullptr ? "" : text);
}

}  // namespace

void record(FailureRecord& out, wire::List list, uint32_t op, const sys::Failure& failure) noexcept {
  out.list = static_cast<uint32_t>(list);
  out.op = op;
  out.code = failure.code;
  copy(out.call, failure.call);
  copy(out.path, failure.path);
  copy(out.detail, failure.detail);
}

}  // namespace tsrunc::engine
