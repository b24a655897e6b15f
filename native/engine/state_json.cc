#include <cstring>

#include "engine/engine.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

// One more line of the object. `value` is JSON text.
void add(sys::Text& out, bool first, const char* key, const char* value) noexcept {
  out.add(first ? "{\n  \"" : ",\n  \"").add(key).add("\": ").add(value);
}

void add_quoted(sys::Text& out, const char* key, const char* plain) noexcept {
  out.add(",\n  \"").add(key).add("\": \"").add(plain).add("\"");
}

// A plan of a half-made container has no texts.
[[nodiscard]] const char* or_empty(const wire::Str& json) noexcept {
  return json.empty() ? "\"\"" : json.data;
}

}  // namespace

size_t format_state(const wire::Header& header, pid_t pid, const char* status, const char* created, char* out,
                    size_t size) noexcept {
  sys::Text text(out, size);
  add(text, true, "ociVersion", or_empty(header.oci_version_json));
  add(text, false, "id", or_empty(header.id_json));
  text.add(",\n  \"pid\": ").add(static_cast<uint64_t>(pid));
  add_quoted(text, "status", status);
  add(text, false, "bundle", or_empty(header.bundle_json));
  add(text, false, "rootfs", or_empty(header.rootfs_json));
  if (created != nullptr && *created != 0) {
    add_quoted(text, "created", created);
  }
  // runtime.md "State": annotations MAY be absent where there are none; runc leaves them out.
  if (!header.annotations_json.empty() && std::strcmp(header.annotations_json.data, "{}") != 0) {
    add(text, false, "annotations", header.annotations_json.data);
  }
  add(text, false, "owner", "\"\"");
  text.add("\n}\n");
  return text.cut() ? 0 : text.size();
}

}  // namespace tsrunc::engine
