// What is kept of an address or a route while its device is on the way: a request's bytes behind the netlink
// header, in memory and, as hexadecimal digits, in the journal.
#pragma once

#include <cstddef>

#include "sys/array.h"
#include "sys/text.h"

namespace tsrunc::engine {

struct NetRecord {
  const char* data = nullptr;
  size_t size = 0;
};

class NetRecords {
 public:
  void push(const NetRecord& record);
  // False, and nothing is added: it is no text that add_text made.
  [[nodiscard]] bool push_text(const char* text);

  [[nodiscard]] size_t size() const noexcept { return places_.size(); }
  // Valid until the next push.
  [[nodiscard]] NetRecord operator[](size_t index) const noexcept;

 private:
  struct Place {
    size_t at = 0;
    size_t size = 0;
  };
  sys::Array<char> bytes_;
  sys::Array<Place> places_;
};

void add_text(sys::Text& out, const NetRecord& record) noexcept;

}  // namespace tsrunc::engine
