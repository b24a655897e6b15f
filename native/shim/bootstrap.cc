#include "shim/bootstrap.h"

#include <cstring>

namespace tsrunc::shim {
namespace {

// Wire types of protocol buffers ("Encoding" in their documentation).
constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kBytes = 2;
constexpr unsigned kFixed32 = 5;

constexpr uint64_t kFields = 7;  // of BootstrapParams, with 0

class Reader {
 public:
  Reader(const char* bytes, size_t size) noexcept : at_(bytes), left_(size) {}

  [[nodiscard]] bool done() const noexcept { return left_ == 0; }
  [[nodiscard]] bool varint(uint64_t& out) noexcept {
    out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_ == 0) {
        return false;
      }
      const auto byte = static_cast<uint8_t>(*at_);
      skip(1);
      out |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool bytes(Slice& out) noexcept {
    uint64_t size = 0;
    if (!varint(size) || size > left_) {
      return false;
    }
    out = {at_, static_cast<size_t>(size)};
    skip(out.size);
    return true;
  }
  [[nodiscard]] bool pass(unsigned type) noexcept {
    uint64_t number = 0;
    Slice slice;
    switch (type) {
      case kVarint:
        return varint(number);
      case kFixed64:
        return skip(8);
      case kBytes:
        return bytes(slice);
      case kFixed32:
        return skip(4);
      default:
        return false;
    }
  }

 private:
  bool skip(size_t count) noexcept {
    if (count > left_) {
      return false;
    }
    at_ += count;
    left_ -= count;
    return true;
  }

  const char* at_;
  size_t left_;
};

void add_varint(sys::Array<char>& out, uint64_t number) {
  while (number >= 0x80) {
    out.push(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out.push(static_cast<char>(number));
}

void add_number(sys::Array<char>& out, unsigned field, uint64_t number) {
  add_varint(out, field << 3 | kVarint);
  add_varint(out, number);
}

void add_bytes(sys::Array<char>& out, unsigned field, const char* bytes, size_t size) {
  add_varint(out, field << 3 | kBytes);
  add_varint(out, size);
  out.append(bytes, size);
}

}  // namespace

bool read_bootstrap(const char* bytes, size_t size, BootstrapParams& out) noexcept {
  Reader reader(bytes, size);
  while (!reader.done()) {
    uint64_t tag = 0;
    if (!reader.varint(tag)) {
      return false;
    }
    Slice unwanted;
    Slice* const wanted[kFields] = {&unwanted, &out.instance,      &out.name_space,  &unwanted,
                                    &unwanted, &out.ttrpc_address, &out.grpc_address};
    const uint64_t field = tag >> 3;
    const auto type = static_cast<unsigned>(tag & 7);
    const bool text = type == kBytes && field < kFields;
    if (!(text ? reader.bytes(*wanted[field]) : reader.pass(type))) {
      return false;
    }
  }
  return true;
}

void add_bootstrap_result(sys::Array<char>& out, uint32_t version, const char* address) {
  constexpr char kProtocol[] = "ttrpc";
  add_number(out, 1, version);
  add_bytes(out, 2, address, std::strlen(address));
  add_bytes(out, 3, kProtocol, sizeof kProtocol - 1);
}

void add_delete_response(sys::Array<char>& out, uint32_t status, int64_t time) {
  sys::Array<char> timestamp;
  add_number(timestamp, 1, static_cast<uint64_t>(time));
  add_number(out, 2, status);
  add_bytes(out, 3, timestamp.data(), timestamp.size());
}

void add_refusal(sys::Array<char>& out, uint32_t code, const char* message) {
  sys::Array<char> status;
  add_number(status, 1, code);
  add_bytes(status, 2, message, std::strlen(message));
  add_bytes(out, 1, status.data(), status.size());
}

}  // namespace tsrunc::shim
