// What the operations that write into the files of a cgroup have in common: their stories.
#pragma once

#include "engine/host_context.h"
#include "sys/result.h"
#include "sys/text.h"

namespace tsrunc::engine {

// The kernel has no such file.
[[nodiscard]] bool is_missing_file(const sys::Failure& failure) noexcept;
[[nodiscard]] sys::Failure missing_file(HostContext& context, const char* file);

// write(2) refused the value. It belongs to the message: most refusals are about it.
[[nodiscard]] sys::Failure refused_value(HostContext& context, const sys::Failure& failure, const char* file,
                                         const char* value);

// v2: who has to hand the controller down to the directory, and by which drop-in where that is systemd
// (systemd.resource-control(5) Delegate=).
void add_delegation_advice(sys::Text& out, const char* directory, const char* controller) noexcept;

}  // namespace tsrunc::engine
