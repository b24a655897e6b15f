#include "launcher/log_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "sys/array.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr char kJournal[] = "journald:";
constexpr char kSyslog[] = "syslog:";
constexpr char kUsualName[] = "tsrunc";
// syslog(3): LOG_USER.
constexpr unsigned kFacility = 1U << 3;

[[nodiscard]] const char* path_of(LogService service) noexcept {
  return service == LogService::kJournald ? "/run/systemd/journal/socket" : "/dev/log";
}

void add(sys::Array<char>& out, const char* text) {
  out.append(text, std::strlen(text));
}

// systemd.io/JOURNAL_NATIVE_PROTOCOL: NAME=value lines; a value with a newline would need another form.
void add_field(sys::Array<char>& out, const char* name, const char* value) {
  add(out, name);
  for (const char* at = value; *at != 0; ++at) {
    out.push(*at == '\n' ? ' ' : *at);
  }
  out.push('\n');
}

void add_number(sys::Array<char>& out, uint64_t number) {
  char digits[24];
  add(out, sys::Text(digits).add(number).c_str());
}

}  // namespace

LogService log_service(const char* text, const char*& name) noexcept {
  LogService service = LogService::kNone;
  if (std::strncmp(text, kJournal, sizeof kJournal - 1) == 0) {
    service = LogService::kJournald;
    name = text + sizeof kJournal - 1;
  } else if (std::strncmp(text, kSyslog, sizeof kSyslog - 1) == 0) {
    service = LogService::kSyslog;
    name = text + sizeof kSyslog - 1;
  }
  if (service != LogService::kNone && *name == 0) {
    name = kUsualName;
  }
  return service;
}

Failure connect_log(LogService service, sys::UniqueFd& out) noexcept {
  const char* path = path_of(service);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  out.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval limit{1, 0};
  if (!out.valid() || ::setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
    return sys::fail("socket", path);
  }
  return ::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
             ? kOk
             : sys::fail("connect", path);
}

Failure send_log(int socket, LogService service, const char* name, int number, const char* message) {
  sys::Array<char> text;
  if (service == LogService::kJournald) {
    add(text, "PRIORITY=");
    add_number(text, static_cast<uint64_t>(number));
    text.push('\n');
    add_field(text, "SYSLOG_IDENTIFIER=", name);
    add_field(text, "ID=", name);
    add_field(text, "MESSAGE=", message);
  } else {
    text.push('<');
    add_number(text, kFacility | static_cast<unsigned>(number));
    text.push('>');
    add(text, name);
    text.push('[');
    add_number(text, static_cast<uint64_t>(::getpid()));
    add(text, "]: ");
    add(text, message);
  }
  while (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return sys::fail("send", path_of(service));
    }
  }
  return kOk;
}

}  // namespace tsrunc::launcher
