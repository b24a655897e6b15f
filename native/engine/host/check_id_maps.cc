// config-linux.md "User namespace mappings" of a user namespace that is joined.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "engine/host/user_namespace.h"
#include "engine/host_context.h"
#include "sys/array.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Result;
using sys::UniqueFd;

struct Range {
  uint64_t inside = 0;
  uint64_t outside = 0;
  uint64_t size = 0;
};

// user_namespaces(7): the kernel takes 340 lines.
constexpr size_t kMaxRanges = 340;

struct Ranges {
  Range items[kMaxRanges];
  size_t count = 0;

  // The kernel sorts longer maps; the configuration has its own order.
  void parse(const char* text) {
    char* next = nullptr;
    for (count = 0; count < kMaxRanges; ++count) {
      Range& range = items[count];
      range.inside = std::strtoull(text, &next, 10);
      if (next == text) {
        break;
      }
      range.outside = std::strtoull(next, &next, 10);
      range.size = std::strtoull(next, &next, 10);
      text = next;
    }
    std::sort(items, items + count, [](const Range& a, const Range& b) { return a.inside < b.inside; });
  }

  [[nodiscard]] bool operator==(const Ranges& other) const {
    return count == other.count &&
           std::equal(items, items + count, other.items, [](const Range& a, const Range& b) {
             return a.inside == b.inside && a.outside == b.outside && a.size == b.size;
           });
  }
};

Failure compare(HostContext& context, pid_t pid, const char* name, const char* pointer,
                const wire::Str& wanted) {
  char path[48];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(pid)).add("/").add(name);
  sys::Array<char> text;
  TSRUNC_TRY(sys::read_whole(AT_FDCWD, path, text));
  text.push('\0');
  Ranges found;
  Ranges asked;
  found.parse(text.data());
  asked.parse(wanted.data);
  if (found == asked) {
    return kOk;
  }
  sys::Text(context.suffix).add(pointer);
  sys::Text detail(context.detail);
  detail.add("invalid argument: the namespace's ").add(name).add(" is");
  for (size_t i = 0; i < found.count; ++i) {
    detail.add(i == 0 ? " " : ", ").add(found.items[i].inside).add(" ").add(found.items[i].outside);
    detail.add(" ").add(found.items[i].size);
  }
  detail.add("; mappings beside the path of a user namespace have to be the same, or left out");
  return fail(EINVAL, "read", name, context.detail);
}

}  // namespace

Failure run(HostContext& context, const wire::CheckIdMaps& op) {
  NamespaceHolder holder;
  pid_t process = ::getpid();
  if (!op.path.empty()) {
    sys::Text(context.suffix).add("/namespaces/").add(uint64_t{op.index}).add("/path");
    const Result<UniqueFd> fd = open_user_namespace(op.path.data);
    if (!fd.ok()) {
      return fd.failure();
    }
    TSRUNC_TRY(holder.join(fd->get(), op.path.data));
    process = holder.pid();
  }
  TSRUNC_TRY(compare(context, process, "uid_map", "/uidMappings", op.uid_map));
  return compare(context, process, "gid_map", "/gidMappings", op.gid_map);
}

}  // namespace tsrunc::engine
