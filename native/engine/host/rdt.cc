// config-linux.md "IntelRdt": groups of the resctrl file system (Documentation/filesystems/resctrl.rst).
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <cstring>

#include "engine/errno_text.h"
#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::Text;

// What the kernel says of the last change that it refused, in one line; "ok" where it has nothing to say.
void add_status(Text& out, const char* root) {
  char path[PATH_MAX];
  char status[256];
  Text(path).add(root).add("/info/last_cmd_status");
  if (const auto got = sys::read_file(AT_FDCWD, path, status, sizeof status); got.ok()) {
    status[std::strcspn(status, "\n")] = 0;
    if (std::strcmp(status, "ok") != 0 && status[0] != 0) {
      out.add(": ").add(status);
    }
  }
}

template <typename Op>
[[nodiscard]] Failure write_schemata(HostContext& context, const Op& op, const char* path) {
  const Failure failure = sys::write_file(AT_FDCWD, path, op.text.data, op.text.size);
  if (!failure) {
    return kOk;
  }
  Text detail(context.detail);
  detail.add(errno_text(failure.code));
  add_status(detail, op.root.data);
  return fail(failure.code, failure.call, op.path.data, context.detail);
}

[[nodiscard]] const char* story(int code) noexcept {
  switch (code) {
    case ENOSPC:
      return "no space left on device: the CPU has no free class of service (CLOSID) or monitoring id (RMID)";
    case ENOENT:
      return "no such file or directory: this CPU or kernel has no groups of this kind";
    default:
      return nullptr;
  }
}

}  // namespace

Failure run(HostContext& context, const wire::MakeRdtGroup& op) {
  // A class that has a name is everybody's once there is a container in it; until then it is this create's.
  TSRUNC_TRY(context.state.journal(op.keep ? "rdtclass" : "rdt", op.path.data));
  if (::mkdir(op.path.data, 0755) == 0) {
    return kOk;
  }
  const int code = errno;
  // rmdir(2) takes a group of resctrl away whoever is in it: what somebody else made must not be undone.
  TSRUNC_TRY(context.state.journal("notmade", op.path.data));
  return fail(code, "mkdir", op.path.data, story(code));
}

Failure run(HostContext& context, const wire::WriteRdtSchemata& op) {
  char path[PATH_MAX];
  Text(path).add(op.path.data).add("/schemata");
  return write_schemata(context, op, path);
}

Failure run(HostContext& context, const wire::UpdateRdtSchemata& op) {
  char path[PATH_MAX];
  Text(path).add(op.path.data).add("/schemata");
  sys::Array<char> before;
  if (const Failure failure = sys::read_whole(AT_FDCWD, path, before); failure) {
    return fail(failure.code, failure.call, op.path.data, nullptr);
  }
  context.cgroup_undo.note_file(path, before.data(), before.size());
  return write_schemata(context, op, path);
}

Failure run(HostContext& context, const wire::JoinRdtGroup& op) {
  char path[PATH_MAX];
  Text(path).add(op.path.data).add("/tasks");
  char number[24];
  Text text(number);
  text.add(static_cast<uint64_t>(context.init.pid));
  const Failure failure = sys::write_file(AT_FDCWD, path, text.c_str(), text.size());
  if (!failure) {
    return kOk;
  }
  return fail(failure.code, failure.call, op.path.data,
              failure.code == ENOENT ? "no such file or directory: it is not a group of resctrl" : nullptr);
}

}  // namespace tsrunc::engine
