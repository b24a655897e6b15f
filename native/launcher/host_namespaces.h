// Whether a call comes from the host itself: what outlives it is for such calls only.
#pragma once

namespace tsrunc::launcher {

// The caller is who it seems to be, and in the namespaces of users, processes, cgroups and mounts that the
// kernel started with (namespaces(7)).
[[nodiscard]] bool is_on_host() noexcept;

}  // namespace tsrunc::launcher
