#include "launcher/log.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "engine/failure_text.h"
#include "launcher/json_text.h"
#include "sys/small_file.h"
#include "sys/text.h"
#include "sys/utc.h"

namespace tsrunc::launcher {
namespace {

[[nodiscard]] const char* level_name(Level level) noexcept {
  switch (level) {
    case Level::kError:
      return "error";
    case Level::kWarning:
      return "warning";
    case Level::kInfo:
      return "info";
    case Level::kDebug:
      return "debug";
  }
  return "error";
}

void add_two(sys::Text& out, unsigned number) noexcept {
  out.add(number < 10 ? "0" : "").add(uint64_t{number});
}

// RFC 3339, UTC.
void add_time(sys::Array<char>& out, int64_t seconds) {
  const sys::Utc time = sys::utc(seconds);
  char buffer[32];
  sys::Text text(buffer);
  text.add(static_cast<uint64_t>(time.year)).add("-");
  add_two(text, time.month);
  add_two(text.add("-"), time.day);
  add_two(text.add("T"), time.hour);
  add_two(text.add(":"), time.minute);
  add_two(text.add(":"), time.second);
  add_text(out, text.add("Z").c_str());
}

}  // namespace

void add_log_line(sys::Array<char>& out, bool json, Level level, const char* message, int64_t time) {
  if (json) {
    add_text(out, "{\"level\":\"");
    add_text(out, level_name(level));
    add_text(out, "\",\"msg\":");
    add_json_string(out, message);
    add_text(out, ",\"time\":\"");
    add_time(out, time);
    add_text(out, "\"}\n");
    return;
  }
  add_text(out, "time=\"");
  add_time(out, time);
  add_text(out, "\" level=");
  add_text(out, level_name(level));
  add_text(out, " msg=");
  add_json_string(out, message);
  add_text(out, "\n");
}

sys::Failure Logger::open(const LogOptions& options) {
  options_ = options;
  constexpr char kScheme[] = "file:";
  const char* path = options.file == nullptr ? "" : options.file;
  service_ = log_service(path, name_);
  if (service_ != LogService::kNone) {
    return connect_log(service_, socket_);
  }
  if (std::strncmp(path, kScheme, sizeof kScheme - 1) == 0) {
    path += sizeof kScheme - 1;
  }
  if (*path == 0) {
    return sys::kOk;
  }
  file_ = sys::UniqueFd(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  return file_.valid() ? sys::kOk : sys::fail("open", path);
}

sys::Failure Logger::leave_stderr() noexcept {
  stderr_.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  return stderr_.valid() ? sys::kOk : sys::fail("fcntl");
}

void Logger::error(const char* text) {
  write(Level::kError, text);
}

void Logger::warn(const char* text) {
  write(Level::kWarning, text);
}

void Logger::debug(const char* text) {
  write(Level::kDebug, text);
}

// Where --log says.
sys::Failure Logger::keep(Level level, const char* message) {
  if (socket_.valid()) {
    constexpr int kNumbers[] = {3, 4, 6, 7};  // syslog(3)
    return send_log(socket_.get(), service_, name_, kNumbers[static_cast<uint8_t>(level)], message);
  }
  if (!file_.valid()) {
    return sys::kOk;
  }
  sys::Array<char> line;
  add_log_line(line, options_.json, level, message, ::time(nullptr));
  return sys::write_all(file_.get(), line.data(), line.size(), "log file");
}

void Logger::write(Level level, const char* text) {
  if (level > options_.level) {
    return;
  }
  sys::Array<char> message;
  add_text(message, *verb_ == 0 ? "tsrunc" : "tsrunc ");
  add_text(message, verb_);
  add_text(message, ": ");
  const size_t prefix = message.size();
  add_text(message, text);
  message.push(0);
  sys::Array<char> line;
  const bool elsewhere = file_.valid() || socket_.valid();
  const sys::Failure lost = keep(level, message.data());
  if (!elsewhere && options_.json) {
    add_log_line(line, true, level, message.data(), ::time(nullptr));
  } else {
    line.append(message.data(), prefix);
    if (level != Level::kError) {
      add_text(line, level_name(level));
      add_text(line, ": ");
    }
    add_text(line, text);
    if (lost) {
      char buffer[256];
      sys::Text reason(buffer);
      engine::add_failure(reason, "; and this line cannot be appended to the log", lost);
      add_text(line, reason.c_str());
    }
    line.push('\n');
  }
  // A caller that closed its stderr has nobody left to be told.
  (void)sys::write_all(stderr_.valid() ? stderr_.get() : STDERR_FILENO, line.data(), line.size(), nullptr);
}

}  // namespace tsrunc::launcher
