// A connection to a message bus, or to a peer that speaks D-Bus by itself, as systemd does on its private
// socket. Small and our own: the executable is static. One call at a time; every wait has a deadline and says
// what was waited for.
#pragma once

#include <cstdint>

#include "engine/host/dbus_message.h"
#include "sys/array.h"
#include "sys/clock.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

// Is told of every signal that comes in between.
struct DbusSignals {
  virtual void on_signal(const DbusMessage& message) noexcept = 0;

 protected:
  ~DbusSignals() = default;
};

class DbusConnection {
 public:
  // `detail`: room for the sentences of failures.
  DbusConnection(DbusSignals& signals, int seconds, char* detail, size_t detail_size) noexcept
      : signals_(signals), seconds_(seconds), detail_(detail), detail_size_(detail_size) {}

  // Connects to the AF_UNIX socket at `address`, '@' in front of an abstract name, authenticates by who we
  // are (SASL EXTERNAL), and, where `is_bus`, says Hello. `address` must outlive the object.
  [[nodiscard]] sys::Failure open(const char* address, bool is_bus) noexcept;

  // Sends the call and waits for what answers it: a reply or an error, whose strings are valid until the next
  // call.
  [[nodiscard]] sys::Failure call(const DbusCall& call, const sys::Array<uint8_t>& body,
                                  DbusMessage& answer) noexcept;
  [[nodiscard]] sys::Failure call(const DbusCall& call, const uint8_t* body, size_t size,
                                  DbusMessage& answer) noexcept;

  // Waits for one more message: a signal has then been told to the DbusSignals. `what`: what is waited for,
  // for the failure.
  [[nodiscard]] sys::Failure pump(sys::Deadline deadline, const char* what) noexcept;

  // The failure of a deadline that is over.
  [[nodiscard]] sys::Failure no_answer(const char* what) noexcept;

  [[nodiscard]] const char* address() const noexcept { return address_; }
  [[nodiscard]] bool is_bus() const noexcept { return is_bus_; }
  [[nodiscard]] int seconds() const noexcept { return seconds_; }

 private:
  [[nodiscard]] sys::Failure connect(sys::Deadline deadline) noexcept;
  [[nodiscard]] sys::Failure authenticate(sys::Deadline deadline) noexcept;
  [[nodiscard]] sys::Failure send(const uint8_t* data, size_t size, sys::Deadline deadline,
                                  const char* what) noexcept;
  // More bytes into `in_`.
  [[nodiscard]] sys::Failure receive(sys::Deadline deadline, const char* what) noexcept;
  // The next whole message out of `in_`; it is taken out by the next call of this function.
  [[nodiscard]] sys::Failure next(sys::Deadline deadline, const char* what, DbusMessage& out) noexcept;
  [[nodiscard]] sys::Failure wait(short events, sys::Deadline deadline, const char* what) noexcept;
  [[nodiscard]] sys::Failure broken(const char* what, const char* why) noexcept;

  DbusSignals& signals_;
  int seconds_;
  char* detail_;
  size_t detail_size_;
  const char* address_ = "";
  bool is_bus_ = false;
  sys::UniqueFd fd_;
  uint32_t serial_ = 0;
  sys::Array<uint8_t> in_;
  size_t taken_ = 0;  // bytes at the front of `in_` that were a message
};

}  // namespace tsrunc::engine
