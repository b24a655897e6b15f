// "cpu" and "cpuset" of the statistics: cpuacct.rst and cpusets.rst of cgroup v1, "CPU Interface Files" of
// cgroup v2.
#include <stdlib.h>
#include <unistd.h>

#include <cstring>

#include "launcher/stats.h"
#include "sys/characters.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr uint64_t kNanoseconds = 1'000'000'000;
constexpr uint64_t kPerMicrosecond = 1000;

struct Throttling {
  uint64_t periods = 0;
  uint64_t throttled = 0;
  uint64_t nanoseconds = 0;
};

void add_throttling(JsonWriter& json, const Throttling& throttling) {
  json.open("throttling", '{');
  json.number_unless_zero("periods", throttling.periods);
  json.number_unless_zero("throttledPeriods", throttling.throttled);
  json.number_unless_zero("throttledTime", throttling.nanoseconds);
  json.close('}');
}

[[nodiscard]] Failure add_unified(const char* directory, JsonWriter& json) {
  CgroupText stat;
  TSRUNC_TRY(stat.read(directory, "cpu.stat"));
  json.open("usage", '{');
  json.number_unless_zero("total", stat.number_of("usage_usec") * kPerMicrosecond);
  json.number("kernel", stat.number_of("system_usec") * kPerMicrosecond);
  json.number("user", stat.number_of("user_usec") * kPerMicrosecond);
  json.close('}');
  add_throttling(json, {stat.number_of("nr_periods"), stat.number_of("nr_throttled"),
                        stat.number_of("throttled_usec") * kPerMicrosecond});
  return add_pressure(directory, "cpu.pressure", json);
}

// `column` of each line of numbers; line -1 is the heading.
void add_column(JsonWriter& json, const char* key, const char* text, int column) {
  bool heading = true;
  json.open(key, '[');
  each_line(text, [&](const char* line, size_t) {
    if (!heading) {
      char* at = const_cast<char*>(line);
      uint64_t value = 0;
      for (int i = 0; i <= column; ++i) {
        value = std::strtoull(at, &at, 10);
      }
      json.number(nullptr, value);
    }
    heading = false;
  });
  json.close(']');
}

// "11155333 1784636 \n"
void add_words(JsonWriter& json, const char* key, const char* text) {
  json.open(key, '[');
  while (sys::is_digit(*text)) {
    char* end = nullptr;
    json.number(nullptr, std::strtoull(text, &end, 10));
    text = end + std::strspn(end, " \n");
  }
  json.close(']');
}

[[nodiscard]] Failure add_usage_v1(const char* directory, JsonWriter& json) {
  CgroupText stat;
  CgroupText percpu;
  CgroupText all;
  uint64_t total = 0;
  TSRUNC_TRY(read_number(directory, "cpuacct.usage", total));
  TSRUNC_TRY(stat.read(directory, "cpuacct.stat"));
  TSRUNC_TRY(percpu.read(directory, "cpuacct.usage_percpu"));
  TSRUNC_TRY(all.read(directory, "cpuacct.usage_all"));
  const uint64_t tick = kNanoseconds / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  json.open("usage", '{');
  json.number_unless_zero("total", total);
  if (!percpu.empty()) {
    add_words(json, "percpu", percpu.text());
  }
  if (!all.empty()) {  // "cpu user system", then a line a cpu
    add_column(json, "percpu_kernel", all.text(), 2);
    add_column(json, "percpu_user", all.text(), 1);
  }
  json.number("kernel", stat.number_of("system") * tick);
  json.number("user", stat.number_of("user") * tick);
  json.close('}');
  return kOk;
}

// "0-2,7" as a list of numbers.
void add_list(JsonWriter& json, const char* key, const char* text) {
  json.open(key, '[');
  while (sys::is_digit(*text)) {
    char* end = nullptr;
    const uint64_t first = std::strtoull(text, &end, 10);
    const uint64_t last = *end == '-' ? std::strtoull(end + 1, &end, 10) : first;
    for (uint64_t n = first; n <= last; ++n) {
      json.number(nullptr, n);
    }
    text = *end == ',' ? end + 1 : end;
  }
  json.close(']');
}

// A number, which may be negative, as it stands in the file.
[[nodiscard]] Failure add_setting(const char* directory, const char* file, const char* key,
                                  JsonWriter& json) {
  CgroupText text;
  TSRUNC_TRY(text.read(directory, file));
  const size_t length = std::strspn(text.text(), "-0123456789");
  char number[32];
  sys::Text(number).add(text.text(), length);
  json.raw(key, length == 0 ? "0" : number);
  return kOk;
}

struct CpusetFile {
  const char* file;
  const char* key;
};
constexpr CpusetFile kAboutMemory[] = {
    {"cpuset.mem_hardwall", "mem_hardwall"},
    {"cpuset.mem_exclusive", "mem_exclusive"},
    {"cpuset.memory_migrate", "memory_migrate"},
    {"cpuset.memory_spread_page", "memory_spread_page"},
    {"cpuset.memory_spread_slab", "memory_spread_slab"},
    {"cpuset.memory_pressure", "memory_pressure"},
    {"cpuset.sched_load_balance", "sched_load_balance"},
    {"cpuset.sched_relax_domain_level", "sched_relax_domain_level"},
};

}  // namespace

Failure add_cpu(const CgroupDirectories& cgroups, JsonWriter& json) {
  json.open("cpu", '{');
  if (const char* unified = cgroups.unified();
      unified != nullptr && cgroups.with("cpuacct.usage") == nullptr) {
    TSRUNC_TRY(add_unified(unified, json));
    json.close('}');
    return kOk;
  }
  TSRUNC_TRY(add_usage_v1(cgroups.with("cpuacct.usage"), json));
  CgroupText stat;
  // v1's unified hierarchy has a cpu.stat too, of times alone.
  TSRUNC_TRY(stat.read(cgroups.with("cpu.cfs_quota_us"), "cpu.stat"));
  add_throttling(
      json, {stat.number_of("nr_periods"), stat.number_of("nr_throttled"), stat.number_of("throttled_time")});
  json.close('}');
  return kOk;
}

// runc reads these on v1 alone.
Failure add_cpuset(const CgroupDirectories& cgroups, JsonWriter& json) {
  const char* directory = cgroups.with("cpuset.memory_migrate");
  CgroupText cpus;
  CgroupText mems;
  TSRUNC_TRY(cpus.read(directory, "cpuset.cpus"));
  TSRUNC_TRY(mems.read(directory, "cpuset.mems"));
  json.open("cpuset", '{');
  if (!cpus.empty()) {
    add_list(json, "cpus", cpus.text());
  }
  TSRUNC_TRY(add_setting(directory, "cpuset.cpu_exclusive", "cpu_exclusive", json));
  if (!mems.empty()) {
    add_list(json, "mems", mems.text());
  }
  for (const CpusetFile& row : kAboutMemory) {
    TSRUNC_TRY(add_setting(directory, row.file, row.key, json));
  }
  json.close('}');
  return kOk;
}

}  // namespace tsrunc::launcher
