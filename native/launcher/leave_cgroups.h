// Out of the cgroups of a caller, for a process that is to outlive it: what ends a service ends, counts and
// limits all that is in its cgroups (systemd.kill(5)).
#pragma once

namespace tsrunc::launcher {

// What a process of its own is in on v2. src/planner/own-cgroup.ts removes it.
inline constexpr char kOwnCgroup[] = "tsrunc-planner";

// Moves this process, which has one thread, to the roots of v1 and to a cgroup of its own on v2: beneath the
// root, or for a user beneath the cgroup that systemd gave its manager. `own`: also from v2's root, which
// belongs to nobody. To be called in the host's own cgroup namespace. False: some cgroup of the caller could
// not be left.
[[nodiscard]] bool leave_cgroups(bool own);

}  // namespace tsrunc::launcher
