// startCriu, requestCriu, awaitCriu, saveRestored: the container's processes out of files.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "engine/host/criu.h"
#include "engine/host_context.h"
#include "engine/init_process.h"
#include "engine/save_state.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::fail;
using sys::Failure;
using sys::kOk;
using sys::UniqueFd;

// Three standard streams and the namespaces that others have made.
constexpr uint32_t kMostInherited = 8;
constexpr mode_t kWorkMode = 0700;

[[nodiscard]] Failure open_inherited(const wire::StartCriu& op, uint32_t i, UniqueFd& out) noexcept {
  const char* path = op.inherit_paths.items[i];
  if (*path == 0) {
    const auto fd = static_cast<int>(op.inherit_fds.items[i]);
    out.reset(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    return out.valid() ? kOk : fail("fcntl", "a standard stream");
  }
  auto file = sys::open_host(path, O_RDONLY);
  if (!file.ok()) {
    return file.failure();
  }
  out = std::move(*file);
  return kOk;
}

// CRIU's own mount namespace seen from here. A directory that is opened elsewhere is none in which CRIU could
// mount (mount(2) EINVAL), and it makes mounts where it works.
[[nodiscard]] Failure open_root_of(pid_t pid, UniqueFd& out) noexcept {
  char path[32];
  sys::Text(path).add("/proc/").add(static_cast<uint64_t>(pid)).add("/root");
  auto root = sys::open_host(path, O_PATH | O_DIRECTORY);
  if (!root.ok()) {
    return fail(root.failure().code, "open", "/proc/PID/root", nullptr);
  }
  out = std::move(*root);
  return kOk;
}

[[nodiscard]] Failure open_directory(const UniqueFd& root, const char* path, UniqueFd& out) noexcept {
  auto fd = sys::openat2(root.get(), path, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
  if (!fd.ok()) {
    return fail(fd.failure().code, "open", path, nullptr);
  }
  out = std::move(*fd);
  return kOk;
}

// The restored process is the container's first.
[[nodiscard]] Failure adopt(HostContext& context, int64_t pid) noexcept {
  context.init.pid = static_cast<pid_t>(pid);
  context.init_pidfd.reset(sys::pidfd_open_raw(context.init.pid, 0));
  if (!context.init_pidfd.valid()) {
    return fail("pidfd_open", nullptr);
  }
  const auto started = start_time(context.init.pid);
  if (!started.ok()) {
    return started.failure();
  }
  context.init.start_time = *started;
  return kOk;
}

[[nodiscard]] Failure on_notification(HostContext& context, const CriuResponse& response,
                                      UniqueFd fd) noexcept {
  context.log.debug(response.script);
  context.restoring.owes_answer = true;
  if (std::strcmp(response.script, "orphan-pts-master") == 0) {
    context.console = std::move(fd);
  }
  return response.pid > 0 && context.init.pid == 0 ? adopt(context, response.pid) : kOk;
}

[[nodiscard]] Failure failed(HostContext& context, const CriuResponse& response) noexcept {
  const Restoring& restoring = context.restoring;
  return criu_failure(response, restoring.work.get(), restoring.work_path, restoring.log_file, context.detail,
                      sizeof context.detail);
}

}  // namespace

Failure run(HostContext& context, const wire::StartCriu& op) {
  const uint32_t count = op.inherit_paths.count;
  if (count > kMostInherited || count != op.inherit_fds.count) {
    return fail(EINVAL, "plan", nullptr, "descriptors for CRIU do not fit together");
  }
  UniqueFd opened[kMostInherited];
  int numbers[kMostInherited] = {};
  for (uint32_t i = 0; i < count; ++i) {
    TSRUNC_TRY(open_inherited(op, i, opened[i]));
    numbers[i] = opened[i].get();
  }
  Criu& criu = context.restoring.criu;
  TSRUNC_TRY(criu.start(op.criu.data, op.environment, op.root.data, numbers, count));
  return adopt(context, criu.pid());
}

Failure run(HostContext& context, const wire::RequestCriu& op) {
  Restoring& restoring = context.restoring;
  context.init = {};
  context.init_pidfd.reset();
  restoring.work_path = op.work_path.data;
  restoring.log_file = op.log_file.data;
  UniqueFd root;
  TSRUNC_TRY(open_root_of(restoring.criu.pid(), root));
  if (::mkdir(op.work_path.data, kWorkMode) != 0 && errno != EEXIST) {
    return fail("mkdir", op.work_path.data);
  }
  TSRUNC_TRY(open_directory(root, op.image_path.data, restoring.images));
  TSRUNC_TRY(open_directory(root, op.work_path.data, restoring.work));
  // An earlier log would be taken for this one's.
  if (::unlinkat(restoring.work.get(), op.log_file.data, 0) != 0 && errno != ENOENT) {
    return fail("unlink", op.log_file.data);
  }
  const CriuPlace place{restoring.images.get(), restoring.work.get(), op.log_file.data, false};
  return restoring.criu.send(static_cast<uint32_t>(CriuRequest::kRestore), op.options, place);
}

Failure run(HostContext& context, const wire::AwaitCriu& op) {
  Restoring& restoring = context.restoring;
  for (;;) {
    if (restoring.owes_answer) {
      restoring.owes_answer = false;
      TSRUNC_TRY(restoring.criu.answer(true));
    }
    CriuResponse response;
    UniqueFd fd;
    if (const Failure failure = restoring.criu.receive(response, &fd, context.init_pidfd.get()); failure) {
      // Why a process ended that was half restored stands in the log.
      return failure.code == ECHILD ? failed(context, response) : failure;
    }
    if (response.type != static_cast<uint32_t>(CriuRequest::kNotify)) {
      return response.success && op.script.empty() ? kOk : failed(context, response);
    }
    TSRUNC_TRY(on_notification(context, response, std::move(fd)));
    if (!op.script.empty() && std::strcmp(response.script, op.script.data) == 0) {
      return kOk;
    }
  }
}

Failure run(HostContext& context, const wire::CheckLabel& op) {
  char text[1024] = {};
  for (uint32_t i = 0; i < op.files.count; ++i) {
    char path[64];
    sys::Text(path)
        .add("/proc/")
        .add(static_cast<uint64_t>(context.init.pid))
        .add("/")
        .add(op.files.items[i]);
    if (sys::read_file(AT_FDCWD, path, text, sizeof text).ok()) {
      break;
    }
    text[0] = 0;
  }
  const size_t length = std::strcspn(text, "\n");
  text[length] = 0;
  if (char* mode = std::strstr(text, " ("); mode != nullptr) {
    *mode = 0;
  }
  if (std::strcmp(op.label.data, text) == 0) {
    return kOk;
  }
  sys::Text(context.detail)
      .add("the restored process has ")
      .add(text[0] == 0 ? "none" : text)
      .add(", not ")
      .add(op.label.data)
      .add(": CRIU was built without ")
      .add(op.module.data)
      .add(", or the label was another one when the container was saved (--lsm-profile)");
  return fail(sys::kNoErrno, "criu", nullptr, context.detail);
}

Failure run(HostContext& context, const wire::SaveRestored& /*op*/) {
  return save_state(context);
}

}  // namespace tsrunc::engine
