// chownCgroup: config-linux.md "Cgroup ownership".
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/errno_text.h"
#include "engine/host/cgroup_tree.h"
#include "engine/host_context.h"
#include "engine/journal.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Text;

constexpr char kDelegate[] = "/sys/kernel/cgroup/delegate";
// What the specification names where the kernel does not say it.
constexpr char kUsual[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
constexpr gid_t kSameGroup = static_cast<gid_t>(-1);

// Reads a number and what separates it from the next.
[[nodiscard]] uint64_t next_number(char*& at) noexcept {
  const uint64_t number = std::strtoull(at, &at, 10);
  at += std::strspn(at, " \n");
  return number;
}

// user_namespaces(7): lines of "first id inside, first id outside, how many", the latter in the terms of the
// reader.
[[nodiscard]] Failure host_uid(HostContext& context, uint32_t uid, uid_t& out) {
  char path[64];
  Text(path).add("/proc/").add(static_cast<uint64_t>(context.init.pid)).add("/uid_map");
  sys::Array<char> map;
  if (const Failure failure = sys::read_whole(AT_FDCWD, path, map); failure) {
    return sys::fail(failure.code, failure.call, "uid_map", failure.detail);
  }
  map.push(0);
  char* at = map.data() + std::strspn(map.data(), " ");
  while (*at != 0) {
    const uint64_t inside = next_number(at);
    const uint64_t outside = next_number(at);
    const uint64_t count = next_number(at);
    if (uid >= inside && uid - inside < count) {
      out = static_cast<uid_t>(outside + (uid - inside));
      return kOk;
    }
  }
  Text(context.detail).add("the user namespace of the container has no user ").add(uint64_t{uid});
  return sys::fail(EINVAL, "chown", "uid_map", context.detail);
}

[[nodiscard]] Failure refused(HostContext& context, const char* dir, const char* file, uid_t uid, int code) {
  Text text(context.detail);
  text.add(dir).add(*file == 0 ? "" : "/").add(file).add(" cannot be given to user ").add(uint64_t{uid});
  text.add(": ").add(errno_text(code));
  return sys::fail(code, "fchownat", dir, context.detail);
}

}  // namespace

Failure run(HostContext& context, const wire::ChownCgroup& op) {
  // One that was there before belongs to whoever made it, and would keep its owner after the container.
  Journal journal;
  TSRUNC_TRY(journal.load(context.state));
  if (!journal.has("cgroup", op.path.data)) {
    return kOk;
  }
  uid_t uid = 0;
  TSRUNC_TRY(host_uid(context, op.uid, uid));
  const auto dir = open_cgroup(op.path.data);
  if (!dir.ok()) {
    return dir.failure();
  }
  sys::Array<char> files;
  if (const Failure failure = sys::read_whole(AT_FDCWD, kDelegate, files); failure) {
    if (failure.code != ENOENT) {
      return failure;
    }
    files.append(kUsual, sizeof kUsual - 1);
  }
  files.push(0);
  if (::fchown(dir->get(), uid, kSameGroup) != 0) {
    return refused(context, op.path.data, "", uid, errno);
  }
  char* rest = nullptr;
  for (char* name = ::strtok_r(files.data(), "\n", &rest); name != nullptr;
       name = ::strtok_r(nullptr, "\n", &rest)) {
    // A controller that is not enabled has no files.
    const bool plain = std::strchr(name, '/') == nullptr;
    if (plain && ::fchownat(dir->get(), name, uid, kSameGroup, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT) {
      return refused(context, op.path.data, name, uid, errno);
    }
  }
  return kOk;
}

}  // namespace tsrunc::engine
