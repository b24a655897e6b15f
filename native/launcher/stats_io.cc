// "blkio" of the statistics: blkio-controller.rst of cgroup v1, io.stat of "IO Interface Files" of cgroup v2.
#include <stdlib.h>

#include <cstring>

#include "launcher/stats.h"
#include "sys/characters.h"

namespace tsrunc::launcher {
namespace {

using sys::Array;
using sys::Failure;
using sys::kOk;

struct Entry {
  uint64_t major;
  uint64_t minor;
  char op[16];
  uint64_t value;
};

void add_entries(JsonWriter& json, const char* key, const Array<Entry>& entries) {
  if (entries.empty()) {
    return;
  }
  json.open(key, '[');
  for (const Entry& entry : entries) {
    json.open(nullptr, '{');
    json.number_unless_zero("major", entry.major);
    json.number_unless_zero("minor", entry.minor);
    if (entry.op[0] != 0) {
      json.text("op", entry.op);
    }
    json.number_unless_zero("value", entry.value);
    json.close('}');
  }
  json.close(']');
}

// "8:0 Read 4096", "8:0 4096"; the sum of all devices, "Total 4096", belongs to none.
void parse_v1(const char* text, Array<Entry>& out) {
  each_line(text, [&](const char* line, size_t) {
    if (!sys::is_digit(*line)) {
      return;
    }
    Entry entry{};
    char* at = nullptr;
    entry.major = std::strtoull(line, &at, 10);
    entry.minor = *at == ':' ? std::strtoull(at + 1, &at, 10) : 0;
    at += std::strspn(at, " ");
    if (!sys::is_digit(*at)) {
      const size_t length = std::strcspn(at, " \n");
      sys::Text(entry.op).add(at, length);
      at += length;
    }
    entry.value = std::strtoull(at, nullptr, 10);
    out.push(entry);
  });
}

// The files of a scheduler or, where none accounts, of throttling: blkio.PREFIX…_recursive.
constexpr const char* kPrefixes[] = {"blkio.bfq.", "blkio.", "blkio.throttle."};
struct Member {
  const char* file;
  const char* key;
};
constexpr Member kMembers[] = {
    {"io_service_bytes_recursive", "ioServiceBytesRecursive"},
    {"io_serviced_recursive", "ioServicedRecursive"},
    {"io_queued_recursive", "ioQueueRecursive"},
    {"io_service_time_recursive", "ioServiceTimeRecursive"},
    {"io_wait_time_recursive", "ioWaitTimeRecursive"},
    {"io_merged_recursive", "ioMergedRecursive"},
    {"time_recursive", "ioTimeRecursive"},
    {"sectors_recursive", "sectorsRecursive"},
};

[[nodiscard]] Failure read_v1(const char* directory, const char* prefix, const char* name,
                              Array<Entry>& out) {
  char file[64];
  sys::Text(file).add(prefix).add(name);
  CgroupText text;
  TSRUNC_TRY(text.read(directory, file));
  parse_v1(text.text(), out);
  return kOk;
}

[[nodiscard]] Failure add_v1(const char* directory, JsonWriter& json) {
  const char* prefix = kPrefixes[2];
  for (const char* candidate : kPrefixes) {
    Array<Entry> serviced;
    TSRUNC_TRY(read_v1(directory, candidate, "io_serviced_recursive", serviced));
    if (!serviced.empty()) {
      prefix = candidate;
      break;
    }
  }
  for (const Member& member : kMembers) {
    Array<Entry> entries;
    TSRUNC_TRY(read_v1(directory, prefix, member.file, entries));
    add_entries(json, member.key, entries);
  }
  return kOk;
}

// The numbers behind `key` in lines of "8:0 rbytes=1 wbytes=2 …", in v1's words.
void parse_v2(const char* line, size_t length, const char* key, const char* op, Array<Entry>& out) {
  if (!sys::is_digit(*line)) {
    return;
  }
  Entry entry{};
  char* at = nullptr;
  entry.major = std::strtoull(line, &at, 10);
  entry.minor = *at == ':' ? std::strtoull(at + 1, &at, 10) : 0;
  sys::Text(entry.op).add(op);
  const size_t size = std::strlen(key);
  for (const char* end = line + length; at + size < end; ++at) {
    if (at[-1] == ' ' && std::memcmp(at, key, size) == 0 && at[size] == '=') {
      entry.value = std::strtoull(at + size + 1, nullptr, 10);
      out.push(entry);
      return;
    }
  }
}

void add_v2(const char* text, const char* key, const char* read, const char* write, JsonWriter& json) {
  Array<Entry> entries;
  each_line(text, [&](const char* line, size_t length) {
    parse_v2(line, length, read, "Read", entries);
    parse_v2(line, length, write, "Write", entries);
  });
  add_entries(json, key, entries);
}

}  // namespace

Failure add_io(const CgroupDirectories& cgroups, JsonWriter& json) {
  const char* v1 = cgroups.with("blkio.throttle.io_serviced");
  const char* unified = v1 == nullptr ? cgroups.unified() : nullptr;
  json.open("blkio", '{');
  if (unified != nullptr) {
    CgroupText stat;
    TSRUNC_TRY(stat.read(unified, "io.stat"));
    add_v2(stat.text(), "ioServiceBytesRecursive", "rbytes", "wbytes", json);
    add_v2(stat.text(), "ioServicedRecursive", "rios", "wios", json);
    TSRUNC_TRY(add_pressure(unified, "io.pressure", json));
  } else {
    TSRUNC_TRY(add_v1(v1, json));
  }
  json.close('}');
  return kOk;
}

}  // namespace tsrunc::launcher
