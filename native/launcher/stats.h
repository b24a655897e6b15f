// The statistics of a container as runc's `events` prints them: one file a group of members.
#pragma once

#include "launcher/cgroup_files.h"
#include "launcher/json_writer.h"
#include "sys/result.h"

namespace tsrunc::launcher {

// The value of "data" in an event of type "stats".
[[nodiscard]] sys::Failure add_stats(const wire::Plan& plan, const CgroupDirectories& cgroups,
                                     JsonWriter& json);

[[nodiscard]] sys::Failure add_cpu(const CgroupDirectories& cgroups, JsonWriter& json);
[[nodiscard]] sys::Failure add_cpuset(const CgroupDirectories& cgroups, JsonWriter& json);
[[nodiscard]] sys::Failure add_memory(const CgroupDirectories& cgroups, JsonWriter& json);
[[nodiscard]] sys::Failure add_io(const CgroupDirectories& cgroups, JsonWriter& json);
// "intel_rdt": of a container in a class of service; `plan` is the one that made it.
[[nodiscard]] sys::Failure add_rdt(const wire::Plan& plan, JsonWriter& json);
[[nodiscard]] sys::Failure add_hugetlb(const CgroupDirectories& cgroups, JsonWriter& json);

// "psi": pressure stall information of v2 (Documentation/accounting/psi.rst), nothing where the kernel keeps
// none.
[[nodiscard]] sys::Failure add_pressure(const char* directory, const char* file, JsonWriter& json);

}  // namespace tsrunc::launcher
