#include "engine/host/net_record.h"

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>

namespace tsrunc::engine {
namespace {

// The value of a hexadecimal digit, or -1.
[[nodiscard]] int digit(char character) noexcept {
  if (character >= '0' && character <= '9') {
    return character - '0';
  }
  return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

}  // namespace

void NetRecords::push(const NetRecord& record) {
  // Aligned as netlink wants it: the bytes are read as headers and attributes.
  const size_t at = bytes_.size();
  bytes_.resize(at + NLMSG_ALIGN(record.size));
  std::memcpy(bytes_.data() + at, record.data, record.size);
  places_.push({at, record.size});
}

bool NetRecords::push_text(const char* text) {
  const size_t size = std::strlen(text) / 2;
  const size_t at = bytes_.size();
  bytes_.resize(at + NLMSG_ALIGN(size));
  bool good = size > 0 && text[2 * size] == 0;
  for (size_t i = 0; i < size; ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    good = good && high >= 0 && low >= 0;
    bytes_[at + i] = static_cast<char>(high * 16 + low);
  }
  if (good) {
    places_.push({at, size});
  } else {
    bytes_.resize(at);
  }
  return good;
}

NetRecord NetRecords::operator[](size_t index) const noexcept {
  return {bytes_.data() + places_[index].at, places_[index].size};
}

void add_text(sys::Text& out, const NetRecord& record) noexcept {
  for (size_t i = 0; i < record.size; ++i) {
    const auto byte = static_cast<uint8_t>(record.data[i]);
    out.add(uint64_t{byte} >> 4, 16).add(uint64_t{byte} & 15, 16);
  }
}

}  // namespace tsrunc::engine
