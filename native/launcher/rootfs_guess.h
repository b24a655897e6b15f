// Which root file system a configuration names, without reading it: so that a planner need not ask for it.
#pragma once

#include <string_view>

namespace tsrunc::launcher {

// The text of root.path in config.json, or empty where it is not to be seen at once. A guess: whoever needs
// to know parses the file.
[[nodiscard]] std::string_view guess_root_path(std::string_view config) noexcept;

}  // namespace tsrunc::launcher
