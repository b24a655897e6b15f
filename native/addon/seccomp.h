// Seccomp profiles compiled by libseccomp (config-linux.md "Seccomp").
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sys/result.h"

// Linux 5.19.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

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
  uint32_t default_action;
  std::vector<std::string> architectures;  // SCMP_ARCH_*
  std::vector<SeccompRule> rules;
  uint32_t optimize;
};

using Program = std::vector<sock_filter>;

// The filter, with libseccomp's choice for architectures that are not in it (the thread is killed) and, where
// the default action denies, ENOSYS for system calls that are newer than any that the profile names. Skipped
// as every runtime does: unknown system calls, rules whose action is the default one. Failure texts point
// into `request`.
[[nodiscard]] sys::Failure compile_seccomp(const SeccompRequest& request, Program& out);

// "2.5.4"
[[nodiscard]] std::string seccomp_version_text();

// Which of the SCMP_ARCH_* names this libseccomp knows; 0 for those it does not.
[[nodiscard]] uint32_t seccomp_architecture(const std::string& name);

// Whether the kernel takes a filter with this SECCOMP_FILTER_FLAG_*.
[[nodiscard]] bool seccomp_flag_supported(unsigned flag);

}  // namespace tsrunc::addon
