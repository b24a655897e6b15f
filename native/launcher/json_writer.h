// JSON objects put together member by member, as Go's encoding/json prints them: what parses runc's output
// parses ours.
#pragma once

#include <cstdint>

#include "launcher/json_text.h"
#include "sys/array.h"
#include "sys/text.h"

namespace tsrunc::launcher {

// `key`: nullptr for an element of a list or the outermost value.
class JsonWriter {
 public:
  explicit JsonWriter(sys::Array<char>& out) noexcept : out_(out) {}

  // `bracket`: '{' or '['.
  void open(const char* key, char bracket) {
    name(key);
    out_.push(bracket);
    fresh_ = true;
  }
  void close(char bracket) {
    out_.push(bracket);
    fresh_ = false;
  }
  void number(const char* key, uint64_t value) {
    name(key);
    char digits[24];
    sys::Text(digits).add(value);
    add_text(out_, digits);
  }
  // Go's omitempty.
  void number_unless_zero(const char* key, uint64_t value) {
    if (value != 0) {
      number(key, value);
    }
  }
  void text(const char* key, const char* value) {
    name(key);
    add_json_string(out_, value);
  }
  // Finished JSON.
  void raw(const char* key, const char* json) {
    name(key);
    add_text(out_, json);
  }

 private:
  void name(const char* key) {
    if (!fresh_) {
      out_.push(',');
    }
    fresh_ = false;
    if (key != nullptr) {
      add_json_string(out_, key);
      out_.push(':');
    }
  }

  sys::Array<char>& out_;
  bool fresh_ = true;
};

}  // namespace tsrunc::launcher
