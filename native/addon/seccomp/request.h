// What src/plan/seccomp.ts encodes: a profile whose words are turned into numbers already.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/result.h"

namespace tsrunc::addon {

struct SeccompCondition {
  uint32_t index;
  uint32_t op;  // enum scmp_compare
  uint64_t value;
  uint64_t value_two;
};

struct SeccompRule {
  std::string name;
  uint32_t action;
  std::vector<SeccompCondition> conditions;  // all must hold
};

struct SeccompRequest {
  uint32_t default_action = 0;
  uint32_t optimize = 0;
  bool fail_unknown = false;
  std::vector<std::string> architectures;  // SCMP_ARCH_*
  std::vector<SeccompRule> rules;
};

// EBADMSG: the bytes are not such a request.
[[nodiscard]] sys::Failure decode_request(const uint8_t* data, size_t size, SeccompRequest& out);

}  // namespace tsrunc::addon
