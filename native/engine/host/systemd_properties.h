// What of a container's unit of systemd changes while it runs.
#pragma once

#include "engine/host_context.h"
#include "sys/result.h"

namespace tsrunc::engine {

// systemd is told again what it was told before the setUnitProperties that has run in `context`, if one has.
[[nodiscard]] sys::Failure undo_unit_properties(HostContext& context);

// context.detail says what this systemd did not know.
void warn_of_old_systemd(HostContext& context, const char* unit);

}  // namespace tsrunc::engine
