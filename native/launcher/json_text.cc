#include "launcher/json_text.h"

#include <cstdint>
#include <cstring>

namespace tsrunc::launcher {
namespace {

// Length of the well-formed sequence at `text` (Unicode, table 3-7), 0 if there is none.
[[nodiscard]] size_t sequence_length(const unsigned char* text) noexcept {
  const unsigned char lead = text[0];
  if (lead < 0x80) {
    return 1;
  }
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) {
    return 0;
  }
  // The second byte's range excludes overlong forms, surrogates and what is beyond U+10FFFF.
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (text[1] < low || text[1] > high) {
    return 0;
  }
  for (size_t i = 2; i < length; ++i) {
    if (text[i] < 0x80 || text[i] > 0xbf) {
      return 0;
    }
  }
  return length;
}

void add_control(sys::Array<char>& out, unsigned char byte) {
  switch (byte) {
    case '\n':
      return add_text(out, "\\n");
    case '\r':
      return add_text(out, "\\r");
    case '\t':
      return add_text(out, "\\t");
    default: {
      constexpr char kHex[] = "0123456789abcdef";
      const char escape[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
      out.append(escape, sizeof escape);
    }
  }
}

}  // namespace

void add_json_string(sys::Array<char>& out, const char* text) {
  out.push('"');
  for (const auto* at = reinterpret_cast<const unsigned char*>(text); *at != 0;) {
    const size_t length = sequence_length(at);
    if (length == 0) {
      add_text(out, "\\ufffd");
      ++at;
      continue;
    }
    if (*at == '"' || *at == '\\') {
      out.push('\\');
    }
    if (*at < 0x20 || *at == 0x7f) {
      add_control(out, *at);
    } else {
      out.append(reinterpret_cast<const char*>(at), length);
    }
    at += length;
  }
  out.push('"');
}

void add_compact_json(sys::Array<char>& out, const char* text) {
  bool quoted = false;
  for (const char* at = text; *at != 0; ++at) {
    if (quoted && *at == '\\' && at[1] != 0) {
      out.append(at, 2);
      ++at;
      continue;
    }
    quoted = quoted != (*at == '"');
    if (quoted || (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t')) {
      out.push(*at);
    }
  }
}

}  // namespace tsrunc::launcher
