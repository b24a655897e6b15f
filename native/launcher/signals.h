// Names and numbers of signals, as signal(7) has them.
#pragma once

namespace tsrunc::launcher {

// "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1", "0". -1: no signal.
[[nodiscard]] int parse_signal(const char* text) noexcept;

}  // namespace tsrunc::launcher
