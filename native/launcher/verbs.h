// The verbs that run what create saved. Each returns the exit code; what went wrong is logged.
#pragma once

#include "launcher/arguments.h"
#include "launcher/log.h"

namespace tsrunc::launcher {

[[nodiscard]] int run_start(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_state(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_kill(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_delete(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_pause(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_resume(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_ps(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_events(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_list(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_gc(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_attach(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_wait(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_resize(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_logs(const Arguments& arguments, Logger& log);
[[nodiscard]] int run_version(Logger& log);

}  // namespace tsrunc::launcher
