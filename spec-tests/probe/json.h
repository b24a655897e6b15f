// A writer for one JSON value: commas are put where they belong, every byte that is not plain ASCII is
// escaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace probe {

class Json {
 public:
  Json& begin_object() { return open('{'); }
  Json& end_object() { return close('}'); }
  Json& begin_array() { return open('['); }
  Json& end_array() { return close(']'); }

  Json& key(std::string_view name);
  Json& text(std::string_view value);
  Json& number(int64_t value);
  Json& boolean(bool value);

  // key and value in one call.
  Json& text(std::string_view name, std::string_view value) { return key(name).text(value); }
  Json& number(std::string_view name, int64_t value) { return key(name).number(value); }
  Json& boolean(std::string_view name, bool value) { return key(name).boolean(value); }

  [[nodiscard]] const std::string& str() const { return out_; }

 private:
  Json& open(char bracket);
  Json& close(char bracket);
  void separate();
  void quote(std::string_view value);

  std::string out_;
  bool need_comma_ = false;
};

}  // namespace probe
