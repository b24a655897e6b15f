#include "addon/seccomp/request.h"

#include "wire/decoder.h"

namespace tsrunc::addon {
namespace {

void read_rule(wire::Decoder& in, SeccompRule& rule) {
  rule.name = in.str().data;
  rule.action = in.u32();
  const uint32_t conditions = in.u32();
  for (uint32_t i = 0; i < conditions && in.ok(); ++i) {
    SeccompCondition condition{};
    condition.index = in.u32();
    condition.op = in.u32();
    condition.value = in.u64();
    condition.value_two = in.u64();
    rule.conditions.push_back(condition);
  }
}

}  // namespace

sys::Failure decode_request(const uint8_t* data, size_t size, SeccompRequest& out) {
  wire::Arena nothing(nullptr, 0);
  wire::Decoder in(data, size, nothing);
  out.default_action = in.u32();
  out.optimize = in.u32();
  out.fail_unknown = in.boolean();
  const uint32_t architectures = in.u32();
  for (uint32_t i = 0; i < architectures && in.ok(); ++i) {
    out.architectures.emplace_back(in.str().data);
  }
  const uint32_t rules = in.u32();
  for (uint32_t i = 0; i < rules && in.ok(); ++i) {
    read_rule(in, out.rules.emplace_back());
  }
  return in.done() ? sys::kOk
                   : sys::fail(EBADMSG, "seccomp", nullptr, "the request is not what this addon understands");
}

}  // namespace tsrunc::addon
