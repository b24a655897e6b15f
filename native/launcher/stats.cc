#include "launcher/stats.h"

#include <cstring>

#include "sys/characters.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

[[nodiscard]] Failure add_pids(const CgroupDirectories& cgroups, JsonWriter& json) {
  const char* directory = cgroups.with("pids.current");
  uint64_t current = 0;
  uint64_t limit = 0;
  TSRUNC_TRY(read_number(directory, "pids.current", current));
  TSRUNC_TRY(read_number(directory, "pids.max", limit));
  json.open("pids", '{');
  json.number_unless_zero("current", current);
  json.number_unless_zero("limit", limit == UINT64_MAX ? 0 : limit);
  json.close('}');
  return kOk;
}

// "12.30" of the kernel's two digits as Go prints that number.
void add_share(JsonWriter& json, const char* key, const char* value, size_t length) {
  char number[32];
  sys::Text text(number);
  text.add(value, length);
  size_t size = text.size();
  while (std::strchr(number, '.') != nullptr && size > 1 &&
         (number[size - 1] == '0' || number[size - 1] == '.')) {
    const bool point = number[size - 1] == '.';
    number[--size] = 0;
    if (point) {
      break;
    }
  }
  json.raw(key, number);
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
void add_stall(JsonWriter& json, const char* line, size_t length) {
  const char* end = line + length;
  const char* at = static_cast<const char*>(std::memchr(line, ' ', length));
  char name[8];
  sys::Text(name).add(line, at == nullptr ? 0 : static_cast<size_t>(at - line));
  json.open(name, '{');
  while (at != nullptr && at < end) {
    const char* key = at + 1;
    const char* equals = key;
    while (equals < end && *equals != '=') {
      ++equals;
    }
    const char* value = equals < end ? equals + 1 : end;
    at = value;
    while (at < end && (sys::is_digit(*at) || *at == '.')) {
      ++at;
    }
    char word[16];
    sys::Text(word).add(key, static_cast<size_t>(equals - key));
    add_share(json, word, value, static_cast<size_t>(at - value));
  }
  json.close('}');
}

}  // namespace

Failure add_pressure(const char* directory, const char* file, JsonWriter& json) {
  CgroupText text;
  TSRUNC_TRY(text.read(directory, file));
  if (text.empty()) {
    return kOk;
  }
  json.open("psi", '{');
  each_line(text.text(), [&](const char* line, size_t length) { add_stall(json, line, length); });
  json.close('}');
  return kOk;
}

Failure add_stats(const wire::Plan& plan, const CgroupDirectories& cgroups, JsonWriter& json) {
  json.open("data", '{');
  TSRUNC_TRY(add_cpu(cgroups, json));
  TSRUNC_TRY(add_cpuset(cgroups, json));
  TSRUNC_TRY(add_memory(cgroups, json));
  TSRUNC_TRY(add_pids(cgroups, json));
  TSRUNC_TRY(add_io(cgroups, json));
  TSRUNC_TRY(add_hugetlb(cgroups, json));
  TSRUNC_TRY(add_rdt(plan, json));
  // Interfaces that runc's library made, which its command line never does.
  json.raw("network_interfaces", "null");
  json.close('}');
  return kOk;
}

}  // namespace tsrunc::launcher
