// The part of the statistics that is about cache and memory bandwidth
// (Documentation/filesystems/resctrl.rst), with the keys of runc.
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "launcher/stats.h"
#include "sys/array.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

struct Groups {
  char root[PATH_MAX]{};
  const char* own = nullptr;
  const char* monitored = nullptr;  // the monitoring group, or the class itself
};

// create entered the class of service, and then the monitoring group where there is one.
[[nodiscard]] bool find_groups(const wire::Plan& plan, Groups& out) noexcept {
  const wire::OpList& ops = plan.list(wire::List::kCreate);
  for (uint32_t i = 0; i < ops.count; ++i) {
    if (ops.items[i].kind == wire::OpKind::kJoinRdtGroup) {
      const char* path = ops.items[i].as<wire::JoinRdtGroup>().path.data;
      (out.own == nullptr ? out.own : out.monitored) = path;
    }
  }
  if (out.own == nullptr) {
    return false;
  }
  out.monitored = out.monitored == nullptr ? out.own : out.monitored;
  // Only the default class, which is the root of the file system, has info/; the others are directories of
  // the root.
  char info[PATH_MAX];
  sys::Text(info).add(out.own).add("/info");
  const char* slash = std::strrchr(out.own, '/');
  const size_t above = slash == nullptr ? 0 : static_cast<size_t>(slash - out.own);
  sys::Text(out.root).add(out.own, ::access(info, F_OK) == 0 ? std::strlen(out.own) : above);
  return true;
}

// The line of `resource` in a schemata file, without its indentation: "L3:0=f;1=f".
[[nodiscard]] Failure add_schema(const char* directory, const char* resource, const char* key,
                                 JsonWriter& json) {
  CgroupText text;
  TSRUNC_TRY(text.read(directory, "schemata"));
  each_line(text.text(), [&](const char* line, size_t length) {
    while (length > 0 && *line == ' ') {
      ++line;
      --length;
    }
    if (length < PATH_MAX && std::strncmp(line, resource, std::strlen(resource)) == 0) {
      char found[PATH_MAX];
      json.text(key, sys::Text(found).add(line, length).c_str());
    }
  });
  return kOk;
}

[[nodiscard]] Failure add_mask(const char* directory, JsonWriter& json) {
  CgroupText text;
  TSRUNC_TRY(text.read(directory, "cbm_mask"));
  each_line(text.text(), [&](const char* line, size_t length) {
    char mask[64];
    json.text("cbm_mask", sys::Text(mask).add(line, length).c_str());
  });
  return kOk;
}

[[nodiscard]] Failure add_numbers(const char* directory, std::initializer_list<const char*> files,
                                  JsonWriter& json) {
  for (const char* file : files) {
    uint64_t value = 0;
    TSRUNC_TRY(read_number(directory, file, value));
    json.number_unless_zero(file, value);
  }
  return kOk;
}

// One resource of the CPU, where it has it: what there is, what everybody may use, and what the container
// may.
struct Resource {
  const char* directory;  // beneath info/
  const char* prefix;
  const char* info;
  const char* root_schema;
  const char* schema;
};

constexpr Resource kCache = {"L3", "L3:", "l3_cache_info", "l3_cache_schema_root", "l3_cache_schema"};
constexpr Resource kBandwidth = {"MB", "MB:", "mem_bw_info", "mem_bw_schema_root", "mem_bw_schema"};

[[nodiscard]] Failure add_resource(const Groups& groups, const Resource& resource, JsonWriter& json) {
  char directory[PATH_MAX];
  sys::Text(directory).add(groups.root).add("/info/").add(resource.directory);
  if (::access(directory, F_OK) != 0) {
    return kOk;
  }
  json.open(resource.info, '{');
  if (&resource == &kCache) {
    TSRUNC_TRY(add_mask(directory, json));
    TSRUNC_TRY(add_numbers(directory, {"min_cbm_bits", "num_closids"}, json));
  } else {
    TSRUNC_TRY(
        add_numbers(directory, {"bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids"}, json));
  }
  json.close('}');
  TSRUNC_TRY(add_schema(groups.root, resource.prefix, resource.root_schema, json));
  return add_schema(groups.own, resource.prefix, resource.schema, json);
}

struct DomainName {
  char text[64];
};

[[nodiscard]] int compare_domains(const void* one, const void* other) {
  return std::strcmp(static_cast<const char*>(one), static_cast<const char*>(other));
}

// Calls visit(directory) for each domain of the cache: mon_data/mon_L3_00 and so on, in the order of their
// names.
template <typename Visit>
[[nodiscard]] Failure each_domain(const char* data, Visit visit) {
  DIR* stream = ::opendir(data);
  if (stream == nullptr) {
    return errno == ENOENT ? kOk : sys::fail("open", data);
  }
  sys::Array<DomainName> names;
  while (const dirent* entry = ::readdir(stream)) {
    if (entry->d_name[0] != '.') {
      DomainName name{};
      sys::Text(name.text).add(entry->d_name);
      names.push(name);
    }
  }
  ::closedir(stream);
  if (!names.empty()) {
    ::qsort(names.data(), names.size(), sizeof(DomainName), compare_domains);
  }
  for (const DomainName& name : names) {
    char directory[PATH_MAX];
    sys::Text(directory).add(data).add("/").add(name.text);
    TSRUNC_TRY(visit(directory));
  }
  return kOk;
}

[[nodiscard]] Failure add_monitoring(const char* group, const char* key,
                                     std::initializer_list<const char*> files, JsonWriter& json) {
  char data[PATH_MAX];
  sys::Text(data).add(group).add("/mon_data");
  bool any = false;
  TSRUNC_TRY(each_domain(data, [&](const char* directory) -> Failure {
    char first[PATH_MAX];
    sys::Text(first).add(directory).add("/").add(*files.begin());
    if (::access(first, F_OK) != 0) {
      return kOk;
    }
    if (!any) {
      json.open(key, '[');
    }
    any = true;
    json.open(nullptr, '{');
    TSRUNC_TRY(add_numbers(directory, files, json));
    json.close('}');
    return kOk;
  }));
  if (any) {
    json.close(']');
  }
  return kOk;
}

}  // namespace

Failure add_rdt(const wire::Plan& plan, JsonWriter& json) {
  Groups groups;
  json.open("intel_rdt", '{');
  if (find_groups(plan, groups)) {
    TSRUNC_TRY(add_resource(groups, kCache, json));
    TSRUNC_TRY(add_resource(groups, kBandwidth, json));
    TSRUNC_TRY(add_monitoring(groups.monitored, "mbm_stats", {"mbm_total_bytes", "mbm_local_bytes"}, json));
    TSRUNC_TRY(add_monitoring(groups.monitored, "cmt_stats", {"llc_occupancy"}, json));
  }
  json.close('}');
  return kOk;
}

}  // namespace tsrunc::launcher
