#include "engine/host/cgroup_file.h"

#include <cstring>

#include "engine/errno_text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;

// "memory" of ".../memory.max", in quotes.
void add_controller(sys::Text& out, const char* file) noexcept {
  const char* name = std::strrchr(file, '/');
  name = name == nullptr ? file : name + 1;
  out.add("\"").add(name, std::strcspn(name, ".")).add("\"");
}

// The last directory of a path that is a unit of systemd; its length in `size`, 0: there is none.
[[nodiscard]] const char* unit_of(const char* path, size_t& size) noexcept {
  const char* found = nullptr;
  size = 0;
  for (const char* at = path; *at != 0;) {
    at += std::strspn(at, "/");
    const size_t length = std::strcspn(at, "/");
    constexpr char kService[] = ".service";
    constexpr size_t kSuffix = sizeof kService - 1;
    if (length > kSuffix && std::memcmp(at + length - kSuffix, kService, kSuffix) == 0) {
      found = at;
      size = length;
    }
    at += length;
  }
  return found;
}

}  // namespace

bool is_missing_file(const Failure& failure) noexcept {
  return failure.code == ENOENT && std::strcmp(failure.call, "open") == 0;
}

Failure missing_file(HostContext& context, const char* file) {
  sys::Text text(context.detail);
  text.add(file).add(": no such file or directory: the ");
  add_controller(text, file);
  text.add(" controller is not available here, or this kernel's does not know this limit");
  return sys::fail(ENOENT, "open", file, context.detail);
}

Failure refused_value(HostContext& context, const Failure& failure, const char* file, const char* value) {
  sys::Text text(context.detail);
  const size_t shown = std::strcspn(value, "\n");
  text.add("value \"").add(value, shown < 200 ? shown : 200).add("\" for ").add(file);
  text.add(" is refused: ").add(failure.detail != nullptr ? failure.detail : errno_text(failure.code));
  if (failure.code == EBUSY && std::strstr(file, "/memory.") != nullptr) {
    text.add(" (the cgroup uses more than this already)");
  }
  if (failure.code == EOPNOTSUPP && std::strstr(file, ".bfq.weight") != nullptr) {
    text.add(" (the I/O scheduler of the device is not bfq: /sys/block/NAME/queue/scheduler)");
  } else if (failure.code == EOPNOTSUPP && std::strstr(file, "/io.weight") != nullptr) {
    text.add(" (the cost of the device's I/O is not modelled: io.cost.qos of the root cgroup enables it)");
  }
  return sys::fail(failure.code, "write", file, context.detail);
}

void add_delegation_advice(sys::Text& out, const char* directory, const char* controller) noexcept {
  size_t size = 0;
  const char* unit = unit_of(directory, size);
  if (unit == nullptr) {
    out.add(": write +").add(controller).add(" into cgroup.subtree_control of the directory above");
    return;
  }
  // Every user's manager is an instance of one template.
  constexpr char kUser[] = "user@";
  const bool user = size > sizeof kUser - 1 && std::memcmp(unit, kUser, sizeof kUser - 1) == 0;
  out.add(
      ": systemd has not delegated it: put \"[Service]\" and \"Delegate=cpu cpuset io memory pids\" into ");
  out.add("/etc/systemd/system/");
  if (user) {
    out.add("user@.service");
  } else {
    out.add(unit, size);
  }
  out.add(".d/delegate.conf, then systemctl daemon-reload and start ").add(unit, size).add(" again");
}

}  // namespace tsrunc::engine
