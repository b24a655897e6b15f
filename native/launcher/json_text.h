// JSON text on the host side: log lines and lists.
#pragma once

#include <cstring>

#include "sys/array.h"

namespace tsrunc::launcher {

inline void add_text(sys::Array<char>& out, const char* text) {
  out.append(text, std::strlen(text));
}

// `text` as a JSON string with its quotes (RFC 8259). Bytes that are not UTF-8 become U+FFFD, so that a line
// of a log stays readable for its parser whatever a path holds.
void add_json_string(sys::Array<char>& out, const char* text);

// JSON `text` without blanks and newlines outside of strings.
void add_compact_json(sys::Array<char>& out, const char* text);

}  // namespace tsrunc::launcher
