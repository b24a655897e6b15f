// "memory" and "hugetlb" of the statistics: memory.rst and hugetlb.rst of cgroup v1, "Memory" and "HugeTLB"
// of cgroup v2.
#include <dirent.h>
#include <stdlib.h>

#include <cstring>

#include "launcher/stats.h"

namespace tsrunc::launcher {
namespace {

using sys::Array;
using sys::Failure;
using sys::kOk;

struct Entry {
  uint64_t limit = 0;
  uint64_t usage = 0;
  uint64_t max = 0;
  uint64_t failcnt = 0;
};

void add_entry(JsonWriter& json, const char* key, const Entry& entry) {
  json.open(key, '{');
  json.number("limit", entry.limit);
  json.number_unless_zero("usage", entry.usage);
  json.number_unless_zero("max", entry.max);
  json.number("failcnt", entry.failcnt);
  json.close('}');
}

struct Row {
  char key[64];
  uint64_t value;
};

int compare(const void* one, const void* other) {
  return std::strcmp(static_cast<const Row*>(one)->key, static_cast<const Row*>(other)->key);
}

// All of memory.stat, in the order of the keys, as Go prints a map.
void add_raw(JsonWriter& json, const CgroupText& stat) {
  Array<Row> rows;
  each_line(stat.text(), [&](const char* line, size_t length) {
    const char* blank = static_cast<const char*>(std::memchr(line, ' ', length));
    if (blank == nullptr) {
      return;
    }
    Row row{};
    sys::Text(row.key).add(line, static_cast<size_t>(blank - line));
    row.value = std::strtoull(blank, nullptr, 10);
    rows.push(row);
  });
  if (rows.empty()) {
    return;
  }
  ::qsort(rows.data(), rows.size(), sizeof(Row), compare);
  json.open("raw", '{');
  for (const Row& row : rows) {
    json.number(row.key, row.value);
  }
  json.close('}');
}

// `kind`: "", "memsw.", "kmem." or "kmem.tcp.".
[[nodiscard]] Failure read_v1(const char* directory, const char* kind, Entry& out) {
  const struct {
    const char* name;
    uint64_t& value;
  } rows[] = {{"limit_in_bytes", out.limit},
              {"usage_in_bytes", out.usage},
              {"max_usage_in_bytes", out.max},
              {"failcnt", out.failcnt}};
  for (const auto& row : rows) {
    char file[64];
    sys::Text(file).add("memory.").add(kind).add(row.name);
    TSRUNC_TRY(read_number(directory, file, row.value));
  }
  return kOk;
}

// `kind`: "memory." or "memory.swap.".
[[nodiscard]] Failure read_v2(const char* directory, const char* kind, Entry& out) {
  const struct {
    const char* name;
    uint64_t& value;
  } rows[] = {{"max", out.limit}, {"current", out.usage}, {"peak", out.max}};
  for (const auto& row : rows) {
    char file[64];
    sys::Text(file).add(kind).add(row.name);
    TSRUNC_TRY(read_number(directory, file, row.value));
  }
  return kOk;
}

// In v1's terms swap is memory and swap together; a peak of the sum is not known.
[[nodiscard]] Entry with_memory(const Entry& swap, const Entry& memory) noexcept {
  const bool limited = swap.limit != UINT64_MAX && memory.limit != UINT64_MAX;
  return {limited ? swap.limit + memory.limit : UINT64_MAX, swap.usage + memory.usage, 0, 0};
}

[[nodiscard]] Failure add_unified(const char* directory, JsonWriter& json) {
  CgroupText stat;
  Entry memory;
  Entry swap;
  TSRUNC_TRY(stat.read(directory, "memory.stat"));
  TSRUNC_TRY(read_v2(directory, "memory.", memory));
  TSRUNC_TRY(read_v2(directory, "memory.swap.", swap));
  json.number_unless_zero("cache", stat.number_of("file"));
  add_entry(json, "usage", memory);
  add_entry(json, "swap", with_memory(swap, memory));
  add_entry(json, "kernel", {});
  add_entry(json, "kernelTCP", {});
  add_raw(json, stat);
  return add_pressure(directory, "memory.pressure", json);
}

[[nodiscard]] Failure add_v1(const char* directory, JsonWriter& json) {
  CgroupText stat;
  TSRUNC_TRY(stat.read(directory, "memory.stat"));
  json.number_unless_zero("cache", stat.number_of("cache"));
  const struct {
    const char* key;
    const char* kind;
  } rows[] = {{"usage", ""}, {"swap", "memsw."}, {"kernel", "kmem."}, {"kernelTCP", "kmem.tcp."}};
  for (const auto& row : rows) {
    Entry entry;
    TSRUNC_TRY(read_v1(directory, row.kind, entry));
    add_entry(json, row.key, entry);
  }
  add_raw(json, stat);
  return kOk;
}

// A size of pages as the files name it: "2MB" of "hugetlb.2MB.current".
struct PageSize {
  char name[24];
};

[[nodiscard]] int compare_sizes(const void* one, const void* other) {
  return std::strcmp(static_cast<const PageSize*>(one)->name, static_cast<const PageSize*>(other)->name);
}

// Which sizes there are, in the order of their names. `tail`: what the file of each is called behind its
// size.
void list_sizes(const char* directory, const char* tail, Array<PageSize>& out) {
  DIR* stream = ::opendir(directory);
  if (stream == nullptr) {
    return;  // it is gone: a container that ends meanwhile
  }
  constexpr char kPrefix[] = "hugetlb.";
  while (const dirent* entry = ::readdir(stream)) {
    const char* name = entry->d_name;
    if (std::strncmp(name, kPrefix, sizeof kPrefix - 1) != 0) {
      continue;
    }
    name += sizeof kPrefix - 1;
    const size_t length = std::strcspn(name, ".");
    if (std::strcmp(name + length, tail) == 0) {
      PageSize size{};
      sys::Text(size.name).add(name, length);
      out.push(size);
    }
  }
  ::closedir(stream);
  if (!out.empty()) {
    ::qsort(out.data(), out.size(), sizeof(PageSize), compare_sizes);
  }
}

// Reservations are what counts where the kernel accounts for them, as with runc.
[[nodiscard]] Failure add_size(const char* directory, const char* name, bool unified, JsonWriter& json) {
  const char* usage_tail = unified ? "current" : "usage_in_bytes";
  Entry entry;
  CgroupText text;
  char file[96];
  char stem[64];
  sys::Text(stem).add("hugetlb.").add(name).add(".rsvd.");
  sys::Text(file).add(stem).add(usage_tail);
  TSRUNC_TRY(text.read(directory, file));
  if (text.empty()) {
    sys::Text(stem).add("hugetlb.").add(name).add(".");
    sys::Text(file).add(stem).add(usage_tail);
    TSRUNC_TRY(text.read(directory, file));
  }
  entry.usage = text.number();
  if (unified) {
    sys::Text(file).add("hugetlb.").add(name).add(".events");
    TSRUNC_TRY(text.read(directory, file));
    entry.failcnt = text.number_of("max");
  } else {
    sys::Text(file).add(stem).add("max_usage_in_bytes");
    TSRUNC_TRY(read_number(directory, file, entry.max));
    sys::Text(file).add(stem).add("failcnt");
    TSRUNC_TRY(read_number(directory, file, entry.failcnt));
  }
  json.open(name, '{');
  json.number_unless_zero("usage", entry.usage);
  json.number_unless_zero("max", entry.max);
  json.number("failcnt", entry.failcnt);
  json.close('}');
  return kOk;
}

}  // namespace

Failure add_memory(const CgroupDirectories& cgroups, JsonWriter& json) {
  const char* v1 = cgroups.with("memory.usage_in_bytes");
  const char* unified = cgroups.unified();
  json.open("memory", '{');
  TSRUNC_TRY(v1 == nullptr && unified != nullptr ? add_unified(unified, json) : add_v1(v1, json));
  json.close('}');
  return kOk;
}

Failure add_hugetlb(const CgroupDirectories& cgroups, JsonWriter& json) {
  json.open("hugetlb", '{');
  const char* v2 = cgroups.unified();
  // Which sizes there are differs between machines: no file's name is certain.
  for (uint32_t i = 0; i < cgroups.paths().count; ++i) {
    const char* directory = cgroups.paths().items[i];
    const bool unified = directory == v2;
    Array<PageSize> sizes;
    list_sizes(directory, unified ? ".current" : ".usage_in_bytes", sizes);
    for (const PageSize& size : sizes) {
      TSRUNC_TRY(add_size(directory, size.name, unified, json));
    }
  }
  json.close('}');
  return kOk;
}

}  // namespace tsrunc::launcher
