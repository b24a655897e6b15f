#include "engine/host/dbus_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "engine/errno_text.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Deadline;
using sys::Failure;
using sys::kOk;
using sys::Text;

constexpr char kBusName[] = "org.freedesktop.DBus";
constexpr char kBusPath[] = "/org/freedesktop/DBus";
// "Authentication Protocol". Without a name in the first line: who we are, the other side has from the
// kernel, in its own user namespace.
constexpr char kExternal[] = "\0AUTH EXTERNAL\r\nDATA\r\n";
constexpr char kBegin[] = "BEGIN\r\n";
constexpr size_t kMostLine = 4096;

[[nodiscard]] bool starts_with(const char* text, const char* prefix) noexcept {
  return std::strncmp(text, prefix, std::strlen(prefix)) == 0;
}

}  // namespace

Failure DbusConnection::no_answer(const char* what) noexcept {
  Text text(detail_, detail_size_);
  text.add(what).add(" on ").add(address_).add(" within ");
  text.add(static_cast<uint64_t>(seconds_)).add(" s");
  return sys::fail(ETIMEDOUT, "poll", address_, detail_);
}

Failure DbusConnection::broken(const char* what, const char* why) noexcept {
  Text(detail_, detail_size_).add(what).add(" on ").add(address_).add(": ").add(why);
  return sys::fail(EPROTO, "recv", address_, detail_);
}

Failure DbusConnection::wait(short events, Deadline deadline, const char* what) noexcept {
  // Who sends one byte after another has until the deadline as well.
  while (!deadline.over()) {
    pollfd waiting{fd_.get(), events, 0};
    const int ready = ::poll(&waiting, 1, deadline.left());
    if (ready > 0) {
      return kOk;
    }
    if (ready < 0 && errno != EINTR) {
      return sys::fail("poll", address_);
    }
  }
  return no_answer(what);
}

Failure DbusConnection::connect(Deadline deadline) noexcept {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const size_t length = std::strlen(address_);
  if (length == 0 || length >= sizeof name.sun_path) {
    return sys::fail(ENAMETOOLONG, "connect", address_, nullptr);
  }
  std::memcpy(name.sun_path, address_, length);
  // unix(7): an abstract name begins with a NUL and has no end but the address's length.
  const bool abstract = address_[0] == '@';
  if (abstract) {
    name.sun_path[0] = 0;
  }
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
  fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_.valid()) {
    return sys::fail("socket");
  }
  for (;; deadline.pause()) {
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&name), size) == 0) {
      return kOk;
    }
    // EAGAIN: nobody has accepted those who came before.
    if (errno != EAGAIN && errno != EINTR) {
      return sys::fail("connect", address_);
    }
    if (deadline.over()) {
      return no_answer("nobody accepted the connection");
    }
  }
}

Failure DbusConnection::send(const uint8_t* data, size_t size, Deadline deadline, const char* what) noexcept {
  while (size > 0) {
    const ssize_t sent = ::send(fd_.get(), data, size, MSG_NOSIGNAL);
    if (sent >= 0) {
      data += sent;
      size -= static_cast<size_t>(sent);
    } else if (errno == EAGAIN) {
      TSRUNC_TRY(wait(POLLOUT, deadline, what));
    } else if (errno != EINTR) {
      return errno == EPIPE ? broken(what, "the connection was closed") : sys::fail("send", address_);
    }
  }
  return kOk;
}

Failure DbusConnection::receive(Deadline deadline, const char* what) noexcept {
  uint8_t buffer[4096];
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (got > 0) {
      in_.append(buffer, static_cast<size_t>(got));
      return kOk;
    }
    if (got == 0 || errno == ECONNRESET) {
      return broken(what, "the connection was closed");
    }
    if (errno == EAGAIN) {
      TSRUNC_TRY(wait(POLLIN, deadline, what));
    } else if (errno != EINTR) {
      return sys::fail("recv", address_);
    }
  }
}

Failure DbusConnection::authenticate(Deadline deadline) noexcept {
  constexpr char kWhat[] = "the bus did not answer the authentication";
  TSRUNC_TRY(send(reinterpret_cast<const uint8_t*>(kExternal), sizeof kExternal - 1, deadline, kWhat));
  size_t start = 0;
  for (;;) {
    const auto* end = static_cast<const uint8_t*>(
        in_.size() > start ? std::memchr(in_.data() + start, '\n', in_.size() - start) : nullptr);
    if (end == nullptr) {
      if (in_.size() > kMostLine) {
        return broken(kWhat, "what it says is not the protocol of D-Bus");
      }
      TSRUNC_TRY(receive(deadline, kWhat));
      continue;
    }
    const auto* line = reinterpret_cast<const char*>(in_.data() + start);
    if (starts_with(line, "OK ")) {
      break;
    }
    // "DATA" asks for the name, which is on its way already.
    if (!starts_with(line, "DATA")) {
      Text(detail_, detail_size_).add("the bus on ").add(address_).add(" does not let us in");
      return sys::fail(EACCES, "connect", address_, detail_);
    }
    start = static_cast<size_t>(end - in_.data()) + 1;
    if (start > kMostLine) {
      return broken(kWhat, "what it says is not the protocol of D-Bus");
    }
  }
  in_.clear();  // the other side waits for BEGIN
  return send(reinterpret_cast<const uint8_t*>(kBegin), sizeof kBegin - 1, deadline, kWhat);
}

Failure DbusConnection::open(const char* address, bool is_bus) noexcept {
  address_ = address;
  is_bus_ = is_bus;
  in_.clear();
  taken_ = 0;
  const Deadline deadline(int64_t{seconds_} * 1000);
  TSRUNC_TRY(connect(deadline));
  TSRUNC_TRY(authenticate(deadline));
  if (!is_bus) {
    return kOk;
  }
  DbusMessage answer;
  TSRUNC_TRY(call({kBusName, kBusPath, kBusName, "Hello", ""}, nullptr, 0, answer));
  return answer.type == DbusType::kReply ? kOk : broken("the bus did not answer Hello", answer.error_name);
}

Failure DbusConnection::next(Deadline deadline, const char* what, DbusMessage& out) noexcept {
  // What is left moves to the front: the decoder wants the start of a message aligned.
  if (taken_ > 0) {
    std::memmove(in_.data(), in_.data() + taken_, in_.size() - taken_);
    in_.resize(in_.size() - taken_);
    taken_ = 0;
  }
  while (in_.size() < kDbusFixedSize) {
    TSRUNC_TRY(receive(deadline, what));
  }
  const size_t size = dbus_message_size(in_.data());
  if (size == 0) {
    return broken(what, "a message is malformed, or too long");
  }
  while (in_.size() < size) {
    TSRUNC_TRY(receive(deadline, what));
  }
  taken_ = size;
  return dbus_decode(in_.data(), size, out) ? kOk : broken(what, "a message is malformed");
}

Failure DbusConnection::pump(Deadline deadline, const char* what) noexcept {
  DbusMessage message;
  TSRUNC_TRY(next(deadline, what, message));
  if (message.type == DbusType::kSignal) {
    signals_.on_signal(message);
  }
  return kOk;
}

Failure DbusConnection::call(const DbusCall& call, const sys::Array<uint8_t>& body,
                             DbusMessage& answer) noexcept {
  return this->call(call, body.data(), body.size(), answer);
}

Failure DbusConnection::call(const DbusCall& call, const uint8_t* body, size_t size,
                             DbusMessage& answer) noexcept {
  const Deadline deadline(int64_t{seconds_} * 1000);
  char what[128];
  const bool is_systemd = call.destination == nullptr || std::strcmp(call.destination, kBusName) != 0;
  Text(what).add(is_systemd ? "systemd" : "the bus").add(" did not answer ").add(call.member);
  sys::Array<uint8_t> out;
  dbus_encode(out, call, ++serial_, body, size);
  TSRUNC_TRY(send(out.data(), out.size(), deadline, what));
  for (;;) {
    TSRUNC_TRY(next(deadline, what, answer));
    const bool answers = answer.type == DbusType::kReply || answer.type == DbusType::kError;
    if (answers && answer.reply_serial == serial_) {
      return kOk;
    }
    if (answer.type == DbusType::kSignal) {
      signals_.on_signal(answer);
    }
    // There may always be something else to be heard.
    if (deadline.over()) {
      return no_answer(what);
    }
  }
}

}  // namespace tsrunc::engine
