// What the host writes about init: its oom_score_adj and the pid file; and the directory for its
// notifications.
#include "engine/host/pid_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// "DIR/.NAME" for "DIR/NAME": in the same directory, so that rename(2) is one step. Known, so that it can be
// undone.
[[nodiscard]] bool temporary_name(const char* path, char (&out)[PATH_MAX]) noexcept {
  const char* slash = std::strrchr(path, '/');
  const char* name = slash == nullptr ? path : slash + 1;
  sys::Text text(out);
  text.add(path, static_cast<size_t>(name - path)).add(".").add(name);
  return *name != 0 && !text.cut();
}

}  // namespace

Failure run(HostContext& context, const wire::SetOomScoreAdj& op) {
  // Init is a child that nobody else can reap: its pid cannot be another process's.
  char path[48];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(context.init.pid)).add("/oom_score_adj");
  char number[24];
  sys::Text text(number);
  text.add(op.value < 0 ? "-" : "").add(static_cast<uint64_t>(op.value < 0 ? -op.value : op.value));
  const Failure failure = sys::write_file(AT_FDCWD, path, text.c_str(), text.size());
  return failure ? sys::fail(failure.code, failure.call, "/proc/PID/oom_score_adj", nullptr) : kOk;
}

Failure run(HostContext& context, const wire::MakeNotifyDirectory& /*op*/) {
  const int state = context.state.fd();
  if (::mkdirat(state, "notify", 0700) != 0) {
    return sys::fail("mkdir", "notify");
  }
  // Whatever the caller's mask.
  return ::fchmodat(state, "notify", 0755, 0) == 0 ? kOk : sys::fail("chmod", "notify");
}

Failure run(HostContext& context, const wire::WritePidFile& op) {
  char temporary[PATH_MAX];
  if (!temporary_name(op.path.data, temporary)) {
    return sys::fail(ENAMETOOLONG, "open", op.path.data, nullptr);
  }
  char number[24];
  sys::Text text(number);
  text.add(static_cast<uint64_t>(context.init.pid));
  // The journal is the container's: an exec that fails takes its own file back, see exec.cc.
  if (!context.target.pidfd.valid()) {
    // What will be in the file tells it, when it comes to undoing, from one that somebody else put there.
    TSRUNC_TRY(context.state.journal("pid", number));
    TSRUNC_TRY(context.state.journal("pidfile", op.path.data));
  }
  {
    const UniqueFd fd(::open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd.valid()) {
      return sys::fail("open", op.path.data);
    }
    if (const Failure failure = sys::write_all(fd.get(), text.c_str(), text.size(), op.path.data); failure) {
      (void)::unlink(temporary);
      return failure;
    }
  }
  if (::rename(temporary, op.path.data) != 0) {
    const Failure failure = sys::fail("rename", op.path.data);
    (void)::unlink(temporary);
    return failure;
  }
  return kOk;
}

Failure remove_pid_file(const char* path, const char* pid) noexcept {
  char temporary[PATH_MAX];
  if (!temporary_name(path, temporary)) {
    return kOk;
  }
  if (::unlink(temporary) != 0 && errno != ENOENT && errno != ENOTDIR) {
    return sys::fail("unlink", path);
  }
  char text[32];
  const bool ours = sys::read_file(AT_FDCWD, path, text, sizeof text).ok() && std::strcmp(text, pid) == 0;
  return !ours || ::unlink(path) == 0 || errno == ENOENT ? kOk : sys::fail("unlink", path);
}

}  // namespace tsrunc::engine
