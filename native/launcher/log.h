// Lines for a person: to stderr and, where --log names a file, appended to it as logrus writes them.
// containerd and Podman show the last line of level error to their user, so that it holds the whole story.
#pragma once

#include <cstdint>

#include "engine/host_context.h"
#include "launcher/log_socket.h"
#include "sys/array.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

enum class Level : uint8_t { kError, kWarning, kInfo, kDebug };

struct LogOptions {
  const char* file = nullptr;  // nullptr or "": stderr alone; or "journald:NAME", "syslog:NAME"
  bool json = false;
  Level level = Level::kWarning;
};

class Logger final : public engine::Log {
 public:
  // `verb`: "" before it is known.
  explicit Logger(const char* verb) noexcept : verb_(verb) {}

  // Opens the file. What was logged before went to stderr alone.
  [[nodiscard]] sys::Failure open(const LogOptions& options);
  // Descriptor 2 becomes somebody else's: from now on a copy of it is written to.
  [[nodiscard]] sys::Failure leave_stderr() noexcept;

  void error(const char* text);
  void warn(const char* text) override;
  void debug(const char* text) override;

 private:
  void write(Level level, const char* text);
  [[nodiscard]] sys::Failure keep(Level level, const char* message);

  const char* verb_;
  LogOptions options_;
  sys::UniqueFd file_;
  sys::UniqueFd stderr_;  // not valid: descriptor 2
  sys::UniqueFd socket_;  // of a service that takes the lines instead
  LogService service_ = LogService::kNone;
  const char* name_ = nullptr;
};

// One line with its newline. `time`: seconds since the epoch.
void add_log_line(sys::Array<char>& out, bool json, Level level, const char* message, int64_t time);

}  // namespace tsrunc::launcher
