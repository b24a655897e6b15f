#include "engine/host/dbus_message.h"

#include <cstring>

namespace tsrunc::engine {
namespace {

// "Message Protocol", header fields.
enum class Field : uint8_t {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kErrorName = 4,
  kReplySerial = 5,
  kDestination = 6,
  kSender = 7,
  kSignature = 8,
};

constexpr uint8_t kProtocolVersion = 1;

[[nodiscard]] constexpr size_t aligned(size_t at, size_t alignment) noexcept {
  return (at + alignment - 1) / alignment * alignment;
}

[[nodiscard]] uint32_t number(const uint8_t* at, bool big_endian) noexcept {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= uint32_t{at[big_endian ? 3 - i : i]} << (8 * i);
  }
  return value;
}

void pad(sys::Array<uint8_t>& out, size_t start, size_t alignment) noexcept {
  while ((out.size() - start) % alignment != 0) {
    out.push(0);
  }
}

void add_u32(sys::Array<uint8_t>& out, uint32_t value) noexcept {
  for (int shift = 0; shift < 32; shift += 8) {
    out.push(static_cast<uint8_t>(value >> shift));
  }
}

void put_u32(sys::Array<uint8_t>& out, size_t at, uint32_t value) noexcept {
  for (size_t i = 0; i < 4; ++i) {
    out[at + i] = static_cast<uint8_t>(value >> (8 * i));
  }
}

void add_text(sys::Array<uint8_t>& out, const char* text) noexcept {
  out.append(reinterpret_cast<const uint8_t*>(text), std::strlen(text) + 1);
}

void add_field(sys::Array<uint8_t>& out, size_t start, Field field, char type, const char* text) noexcept {
  pad(out, start, 8);
  out.push(static_cast<uint8_t>(field));
  out.push(1);
  out.push(static_cast<uint8_t>(type));
  out.push(0);
  if (type == 'g') {
    out.push(static_cast<uint8_t>(std::strlen(text)));
  } else {
    add_u32(out, static_cast<uint32_t>(std::strlen(text)));
  }
  add_text(out, text);
}

// One of the fields that a header may have, whose type is fixed; what is not known may have any simple type.
void read_field(DbusReader& in, DbusMessage& out) noexcept {
  in.align(8);
  const auto field = static_cast<Field>(in.byte());
  const char* type = in.signature();
  if (std::strcmp(type, "u") == 0) {
    const uint32_t value = in.u32();
    out.reply_serial = field == Field::kReplySerial ? value : out.reply_serial;
    return;
  }
  if (std::strcmp(type, "g") == 0) {
    const char* value = in.signature();
    out.signature = field == Field::kSignature ? value : out.signature;
    return;
  }
  if (std::strcmp(type, "s") != 0 && std::strcmp(type, "o") != 0) {
    in.skip(SIZE_MAX);
    return;
  }
  const char* value = in.string();
  switch (field) {
    case Field::kPath:
      out.path = value;
      break;
    case Field::kInterface:
      out.interface = value;
      break;
    case Field::kMember:
      out.member = value;
      break;
    case Field::kErrorName:
      out.error_name = value;
      break;
    case Field::kSender:
      out.sender = value;
      break;
    default:
      break;
  }
}

}  // namespace

uint8_t DbusReader::byte() noexcept {
  if (!ok_ || at_ >= size_) {
    ok_ = false;
    return 0;
  }
  return data_[at_++];
}

uint32_t DbusReader::u32() noexcept {
  align(4);
  if (!ok_ || size_ - at_ < 4) {
    ok_ = false;
    return 0;
  }
  at_ += 4;
  return number(data_ + at_ - 4, big_endian_);
}

const char* DbusReader::text(size_t length) noexcept {
  // Its NUL is not counted; another one within it is not allowed.
  if (!ok_ || length >= size_ - at_ || data_[at_ + length] != 0 ||
      std::memchr(data_ + at_, 0, length) != nullptr) {
    ok_ = false;
    return "";
  }
  const char* found = reinterpret_cast<const char*>(data_ + at_);
  at_ += length + 1;
  return found;
}

const char* DbusReader::string() noexcept {
  const uint32_t length = u32();
  return text(length);
}

const char* DbusReader::signature() noexcept {
  const uint8_t length = byte();
  return text(length);
}

void DbusReader::align(size_t alignment) noexcept {
  const size_t next = aligned(at_, alignment);
  if (!ok_ || next > size_) {
    ok_ = false;
    return;
  }
  at_ = next;
}

size_t DbusReader::array_end(size_t alignment) noexcept {
  const uint32_t length = u32();
  align(alignment);
  if (!ok_ || length > size_ - at_) {
    ok_ = false;
    return at_;
  }
  return at_ + length;
}

void DbusReader::skip(size_t size) noexcept {
  if (!ok_ || size > size_ - at_) {
    ok_ = false;
    return;
  }
  at_ += size;
}

size_t dbus_message_size(const uint8_t* fixed) noexcept {
  const bool big = fixed[0] == 'B';
  if ((!big && fixed[0] != 'l') || fixed[3] != kProtocolVersion) {
    return 0;
  }
  const uint64_t body = number(fixed + 4, big);
  const uint64_t fields = number(fixed + 12, big);
  const uint64_t size = ((kDbusFixedSize + fields + 7) & ~uint64_t{7}) + body;
  return size > kDbusMostSize ? 0 : static_cast<size_t>(size);
}

bool dbus_decode(const uint8_t* data, size_t size, DbusMessage& out) noexcept {
  out = {};
  if (size < kDbusFixedSize || dbus_message_size(data) != size) {
    return false;
  }
  out.big_endian = data[0] == 'B';
  out.type = static_cast<DbusType>(data[1]);
  const size_t body_size = number(data + 4, out.big_endian);
  DbusReader in(data, size - body_size, out.big_endian);
  in.skip(8);
  out.serial = in.u32();
  const size_t end = in.array_end(8);
  while (in.ok() && in.at() < end) {
    read_field(in, out);
  }
  if (!in.ok() || in.at() != end) {
    return false;
  }
  out.body = data + (size - body_size);
  out.body_size = body_size;
  return true;
}

void dbus_add_string(sys::Array<uint8_t>& body, const char* text) noexcept {
  pad(body, 0, 4);
  add_u32(body, static_cast<uint32_t>(std::strlen(text)));
  add_text(body, text);
}

void dbus_encode(sys::Array<uint8_t>& out, const DbusCall& call, uint32_t serial, const uint8_t* body,
                 size_t body_size) noexcept {
  const size_t start = out.size();
  out.push('l');
  out.push(static_cast<uint8_t>(DbusType::kCall));
  out.push(0);
  out.push(kProtocolVersion);
  add_u32(out, static_cast<uint32_t>(body_size));
  add_u32(out, serial);
  add_u32(out, 0);
  const size_t fields = out.size();
  add_field(out, start, Field::kPath, 'o', call.path);
  add_field(out, start, Field::kInterface, 's', call.interface);
  add_field(out, start, Field::kMember, 's', call.member);
  if (call.destination != nullptr) {
    add_field(out, start, Field::kDestination, 's', call.destination);
  }
  if (*call.signature != 0) {
    add_field(out, start, Field::kSignature, 'g', call.signature);
  }
  put_u32(out, fields - 4, static_cast<uint32_t>(out.size() - fields));
  pad(out, start, 8);
  out.append(body, body_size);
}

}  // namespace tsrunc::engine
