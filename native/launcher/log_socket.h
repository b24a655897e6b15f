// Logs that go to a service: --log journald:NAME and --log syslog:NAME, as with crun.
#pragma once

#include <cstdint>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

enum class LogService : uint8_t { kNone, kJournald, kSyslog };

// Which service `text` of --log names, and the name behind the colon.
[[nodiscard]] LogService log_service(const char* text, const char*& name) noexcept;

// `number`: as of syslog(3), 3 for an error, 4 for a warning, 6, 7. One message; it waits a second at most
// for a service that does not read.
[[nodiscard]] sys::Failure connect_log(LogService service, sys::UniqueFd& out) noexcept;
[[nodiscard]] sys::Failure send_log(int socket, LogService service, const char* name, int number,
                                    const char* message);

}  // namespace tsrunc::launcher
