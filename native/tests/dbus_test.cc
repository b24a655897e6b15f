// native/engine/host/dbus_message.cc and dbus_connection.cc: what comes from a bus is not trusted.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "engine/host/dbus_connection.h"
#include "engine/host/systemd_manager.h"
#include "tests/test.h"

namespace tsrunc::tests {
namespace {

using engine::DbusMessage;
using engine::DbusReader;
using engine::DbusType;
using Bytes = sys::Array<uint8_t>;

// A signal JobRemoved as systemd sends it: a call that was encoded, with another type.
void add_job_removed(Bytes& out, const char* unit, const char* result) {
  Bytes body;
  body.append(reinterpret_cast<const uint8_t*>("\7\0\0\0"), 4);
  engine::dbus_add_string(body, "/org/freedesktop/systemd1/job/7");
  engine::dbus_add_string(body, unit);
  engine::dbus_add_string(body, result);
  const size_t start = out.size();
  engine::dbus_encode(
      out, {nullptr, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss"},
      3, body.data(), body.size());
  out[start + 1] = static_cast<uint8_t>(DbusType::kSignal);
}

TEST(dbus_message_round_trip) {
  Bytes bytes;
  add_job_removed(bytes, "a.scope", "done");
  CHECK(engine::dbus_message_size(bytes.data()) == bytes.size());
  DbusMessage message;
  CHECK(engine::dbus_decode(bytes.data(), bytes.size(), message));
  CHECK(message.type == DbusType::kSignal && message.serial == 3);
  CHECK(std::string(message.member) == "JobRemoved" && std::string(message.signature) == "uoss");
  DbusReader in(message);
  CHECK(in.u32() == 7);
  CHECK(std::string(in.string()) == "/org/freedesktop/systemd1/job/7");
  CHECK(std::string(in.string()) == "a.scope" && std::string(in.string()) == "done");
  CHECK(in.ok() && in.done());
  CHECK(in.u32() == 0 && !in.ok());
}

// Every prefix and every change of one byte: never a read outside of the bytes (the sanitizers see it), never
// a string that has no end.
TEST(dbus_message_damaged) {
  Bytes bytes;
  add_job_removed(bytes, "a.scope", "done");
  const size_t size = bytes.size();
  for (size_t length = 0; length < size; ++length) {
    auto* copy = new uint8_t[length + 1];
    std::memcpy(copy, bytes.data(), length);
    DbusMessage message;
    CHECK(!engine::dbus_decode(copy, length, message));
    delete[] copy;
  }
  for (size_t at = 0; at < size; ++at) {
    for (int value = 0; value < 256; ++value) {
      auto* copy = new uint8_t[size];
      std::memcpy(copy, bytes.data(), size);
      copy[at] = static_cast<uint8_t>(value);
      DbusMessage message;
      if (engine::dbus_decode(copy, size, message)) {
        DbusReader in(message);
        (void)in.u32();
        size_t length = 0;
        for (int i = 0; i < 4; ++i) {
          length += std::strlen(in.string());
        }
        length += std::strlen(message.member) + std::strlen(message.path) + std::strlen(message.signature);
        CHECK(length <= 2 * size);
      }
      delete[] copy;
    }
  }
}

TEST(dbus_message_length_is_bounded) {
  uint8_t fixed[16] = {'l', 2, 0, 1};
  fixed[7] = 0x7f;
  CHECK(engine::dbus_message_size(fixed) == 0);
  fixed[7] = 0;
  fixed[15] = 0xff;
  CHECK(engine::dbus_message_size(fixed) == 0);
  fixed[15] = 0;
  CHECK(engine::dbus_message_size(fixed) == 16);
  fixed[0] = 'x';
  CHECK(engine::dbus_message_size(fixed) == 0);
}

TEST(dbus_message_of_the_other_endianness) {
  const uint8_t bytes[] = {'B', 2, 0, 1, 0,   0, 0, 4, 0, 0, 0, 9, 0, 0,
                           0,   8, 5, 1, 'u', 0, 0, 0, 0, 6, 0, 0, 1, 2};
  DbusMessage message;
  CHECK(engine::dbus_decode(bytes, sizeof bytes, message));
  CHECK(message.serial == 9 && message.reply_serial == 6);
  DbusReader in(message);
  CHECK(in.u32() == 0x102);
}

// A bus in a process of its own, which says `script` after the first bytes that it gets, then waits for the
// other side to go; without a script it never answers. `flood`: what it says over and over behind that.
class Bus {
 public:
  Bus(const std::string& path, const std::string& script, const std::string& flood) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    const sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    CHECK(::listen(fd.get(), 4) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      serve(fd.get(), script, flood);
    }
  }
  ~Bus() { (void)::waitpid(pid_, nullptr, 0); }
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

 private:
  [[noreturn]] static void serve(int fd, const std::string& script, const std::string& flood) {
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, 10000) == 1) {
      const int peer = ::accept(fd, nullptr, nullptr);
      char buffer[4096];
      for (bool first = true; ::read(peer, buffer, sizeof buffer) > 0; first = false) {
        if (first && !script.empty() && ::write(peer, script.data(), script.size()) < 0) {
          ::_exit(1);
        }
        while (!flood.empty() && ::send(peer, flood.data(), flood.size(), MSG_NOSIGNAL) > 0) {
        }
      }
    }
    ::_exit(0);
  }
  pid_t pid_ = 0;
};

std::string fails(const std::string& script, const std::string& flood = "") {
  const TemporaryDirectory top;
  const std::string path = std::string(top.path()) + "/bus";
  const Bus bus(path, script, flood);
  char detail[1024] = {};
  engine::SystemdManager manager({path.c_str(), "", 1}, "a.scope", detail, sizeof detail);
  const sys::Failure failure = manager.open();
  CHECK(failure);
  return failure.detail == nullptr ? "" : failure.detail;
}

TEST(dbus_that_does_not_answer) {
  CHECK(fails("").find("the bus did not answer the authentication on ") == 0);
  CHECK(fails("DATA\r\nOK 1234\r\n").find("the bus did not answer Hello on ") == 0);
}

TEST(dbus_that_speaks_something_else) {
  CHECK(fails("HTTP/1.0 400 Bad request\r\n").find("the bus on ") == 0);
  CHECK(fails("REJECTED EXTERNAL\r\n").find("the bus on ") == 0);
  CHECK(fails(std::string(5000, 'x')).find("the bus did not answer the authentication on ") == 0);
}

TEST(dbus_that_never_comes_to_an_end) {
  std::string lines;
  while (lines.size() < 65536) {
    lines += "DATA\r\n";
  }
  CHECK(fails("", lines).find("what it says is not the protocol of D-Bus") != std::string::npos);
  Bytes bytes;
  add_job_removed(bytes, "a.scope", "done");
  const std::string signal(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  CHECK(fails("OK 1234\r\n", signal).find("the bus did not answer ") == 0);
}

TEST(dbus_that_is_not_there) {
  char detail[256] = {};
  engine::SystemdManager manager({"/nonexistent/bus", "/nonexistent/private", 1}, "a.scope", detail,
                                 sizeof detail);
  const sys::Failure failure = manager.open();
  CHECK(failure.code == ENOENT && std::string(failure.path) == "/nonexistent/bus");
}

}  // namespace
}  // namespace tsrunc::tests
