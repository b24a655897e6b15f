// Names and texts of errno values, as Go words them: Docker and Podman look for "no such file or directory"
// and "permission denied" in lower case. strerror(3) would bring locales and capitals.
#pragma once

namespace tsrunc::engine {

// "ENOENT", or nullptr for a number that Linux does not use.
[[nodiscard]] const char* errno_name(int code) noexcept;
// "no such file or directory", or "unknown error".
[[nodiscard]] const char* errno_text(int code) noexcept;

}  // namespace tsrunc::engine
