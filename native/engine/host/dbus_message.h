// Messages of D-Bus (D-Bus Specification, "Message Protocol"), as far as a few calls to systemd need them.
// What comes from the bus is not trusted: every length is checked against what is left.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/array.h"

namespace tsrunc::engine {

enum class DbusType : uint8_t { kInvalid = 0, kCall = 1, kReply = 2, kError = 3, kSignal = 4 };

// A method call. Without arguments `signature` is "".
struct DbusCall {
  const char* destination = nullptr;  // nullptr: the peer itself
  const char* path = "";
  const char* interface = "";
  const char* member = "";
  const char* signature = "";
};

// A message that was received. The strings lie in the bytes that it was decoded from; "" for what it does not
// have.
struct DbusMessage {
  DbusType type = DbusType::kInvalid;
  bool big_endian = false;
  uint32_t serial = 0;
  uint32_t reply_serial = 0;
  const char* path = "";
  const char* interface = "";
  const char* member = "";
  const char* error_name = "";
  const char* sender = "";
  const char* signature = "";
  const uint8_t* body = nullptr;
  size_t body_size = 0;
};

// The fixed part, from which the length of the whole can be told.
inline constexpr size_t kDbusFixedSize = 16;
inline constexpr size_t kDbusMostSize = size_t{1} << 20;

// Length of the message that begins with these kDbusFixedSize bytes; 0: it is none, or longer than
// kDbusMostSize.
[[nodiscard]] size_t dbus_message_size(const uint8_t* fixed) noexcept;

// Decodes one whole message. False: it is malformed.
[[nodiscard]] bool dbus_decode(const uint8_t* data, size_t size, DbusMessage& out) noexcept;

// Appends a call. `serial` is not 0.
void dbus_encode(sys::Array<uint8_t>& out, const DbusCall& call, uint32_t serial, const uint8_t* body,
                 size_t body_size) noexcept;

// Appends a string of a body to its bytes.
void dbus_add_string(sys::Array<uint8_t>& body, const char* text) noexcept;

// Reads values front to back, of a body or of a header: positions count from the start, which is aligned.
// After the first fault every read gives 0 or "", and ok() is false.
class DbusReader {
 public:
  DbusReader(const uint8_t* data, size_t size, bool big_endian) noexcept
      : data_(data), size_(size), big_endian_(big_endian) {}
  explicit DbusReader(const DbusMessage& message) noexcept
      : DbusReader(message.body, message.body_size, message.big_endian) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool done() const noexcept { return !ok_ || at_ == size_; }
  [[nodiscard]] size_t at() const noexcept { return at_; }
  uint8_t byte() noexcept;
  uint32_t u32() noexcept;
  const char* string() noexcept;     // of type s or o
  const char* signature() noexcept;  // of type g
  void align(size_t alignment) noexcept;
  // The position behind an array whose length comes now, which must lie within the data.
  size_t array_end(size_t alignment) noexcept;
  void skip(size_t size) noexcept;

 private:
  [[nodiscard]] const char* text(size_t length) noexcept;

  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
  bool big_endian_;
  bool ok_ = true;
};

}  // namespace tsrunc::engine
