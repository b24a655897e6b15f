// What the linked libseccomp and the kernel can do.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <string>

// Linux 5.19.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace tsrunc::addon {

// "2.5.4"
[[nodiscard]] std::string seccomp_version_text();

// The file that libseccomp was loaded from; empty if that cannot be told.
[[nodiscard]] std::string seccomp_library_path();

// SCMP_ARCH_* token of the name; 0 for those that this libseccomp does not know.
[[nodiscard]] uint32_t seccomp_architecture(const std::string& name);

// Whether the kernel takes a filter with this SECCOMP_FILTER_FLAG_*.
[[nodiscard]] bool seccomp_flag_supported(unsigned flag);

}  // namespace tsrunc::addon
