#include "json.h"

namespace probe {

void Json::separate() {
  if (need_comma_) {
    out_ += ',';
  }
  need_comma_ = true;
}

Json& Json::open(char bracket) {
  separate();
  out_ += bracket;
  need_comma_ = false;
  return *this;
}

Json& Json::close(char bracket) {
  out_ += bracket;
  need_comma_ = true;
  return *this;
}

void Json::quote(std::string_view value) {
  static const char kHex[] = "0123456789abcdef";
  out_ += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out_ += "\\u00";
      out_ += kHex[byte >> 4];
      out_ += kHex[byte & 15];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

Json& Json::key(std::string_view name) {
  separate();
  quote(name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

Json& Json::text(std::string_view value) {
  separate();
  quote(value);
  return *this;
}

Json& Json::number(int64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

Json& Json::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

}  // namespace probe
