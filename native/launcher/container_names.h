// The containers beneath --root, by their directories.
#pragma once

#include "launcher/arguments.h"
#include "sys/array.h"
#include "sys/result.h"

namespace tsrunc::launcher {

struct ContainerName {
  char text[256];
};

// In the order of their names. `root`: nullptr is the default; a directory that nobody has made yet has none.
// The path of a failure is static.
[[nodiscard]] sys::Failure read_container_names(const char* root, sys::Array<ContainerName>& out);

// --regex of kill and delete, as with crun: `act` for each container whose name the extended regular
// expression (regex(7)) in the place of the ID matches. All are tried; returns 0 if all went well or there
// are none, else 1.
[[nodiscard]] int for_matching(const Arguments& arguments, Logger& log,
                               int (*act)(const Arguments& arguments, const char* id, Logger& log));

}  // namespace tsrunc::launcher
