// libFuzzer harness for dbus_decode and DbusReader: whatever is on the bus, no byte outside of the message is
// read, each text ends within it, and reading comes to an end. The first byte says what is read of the body,
// and whether the lengths of the fixed part are made right: of random ones hardly any are.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "engine/host/dbus_message.h"

namespace {

using tsrunc::engine::DbusMessage;
using tsrunc::engine::DbusReader;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// A text lies in the message, its NUL too, or it is the empty one of a field that is not there.
void check(const char* text, const uint8_t* data, size_t size) {
  const auto* at = reinterpret_cast<const uint8_t*>(text);
  const size_t length = std::strlen(text);
  require(length == 0 || (at >= data && at + length < data + size));
}

void read_body(const DbusMessage& message, uint8_t plan) {
  DbusReader in(message);
  size_t before = in.at();
  for (size_t step = 0; in.ok() && !in.done() && step < message.body_size + 8; ++step) {
    switch ((plan + step) % 5) {
      case 0:
        (void)in.u32();
        break;
      case 1:
        check(in.string(), message.body, message.body_size);
        break;
      case 2:
        check(in.signature(), message.body, message.body_size);
        break;
      case 3: {
        const size_t end = in.array_end(8);
        require(!in.ok() || (end >= in.at() && end <= message.body_size));
        break;
      }
      default:
        (void)in.byte();
    }
    require(in.at() >= before && in.at() <= message.body_size);
    before = in.at();
  }
}

// "Message Protocol": a little-endian message whose fields have some length, the rest being its body.
void repair(uint8_t* bytes, size_t size, size_t fields) {
  using tsrunc::engine::kDbusFixedSize;
  const size_t header = (kDbusFixedSize + fields + 7) / 8 * 8;
  if (header > size) {
    return;
  }
  bytes[0] = 'l';
  bytes[3] = 1;
  for (size_t i = 0; i < 4; ++i) {
    bytes[4 + i] = static_cast<uint8_t>((size - header) >> (8 * i));
    bytes[12 + i] = static_cast<uint8_t>(fields >> (8 * i));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  // A copy of just that size: what lies behind it is AddressSanitizer's.
  const size_t length = size - 1;
  const std::unique_ptr<uint8_t[]> bytes(new uint8_t[length]);
  if (length > 0) {
    std::memcpy(bytes.get(), data + 1, length);
  }
  if (data[0] >= 128 && length > tsrunc::engine::kDbusFixedSize) {
    repair(bytes.get(), length, bytes[1] % (length - tsrunc::engine::kDbusFixedSize));
  }
  const size_t said =
      length < tsrunc::engine::kDbusFixedSize ? 0 : tsrunc::engine::dbus_message_size(bytes.get());
  require(said <= tsrunc::engine::kDbusMostSize);
  DbusMessage message;
  if (!tsrunc::engine::dbus_decode(bytes.get(), length, message)) {
    return 0;
  }
  require(said == length && message.body_size <= length);
  for (const char* text : {message.path, message.interface, message.member, message.error_name,
                           message.sender, message.signature}) {
    check(text, bytes.get(), length);
  }
  read_body(message, data[0]);
  return 0;
}
