// Which root file system and which namespaces a configuration names, without parsing it: so that a planner
// need not ask for them. Guesses: whoever needs to know parses the file.
#pragma once

#include <string_view>

namespace tsrunc::launcher {

// The text of root.path in config.json, or empty where it is not to be seen at once.
[[nodiscard]] std::string_view guess_root_path(std::string_view config) noexcept;

// What linux.namespaces has between its brackets; empty as above.
[[nodiscard]] std::string_view guess_namespaces(std::string_view config) noexcept;

// Takes off `namespaces` up to the end of the next absolute path in it, and returns that; empty: there is
// none left.
[[nodiscard]] std::string_view take_path(std::string_view& namespaces) noexcept;

}  // namespace tsrunc::launcher
