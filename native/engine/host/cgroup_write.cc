// The operations that write one value into one file of a cgroup.
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "engine/errno_text.h"
#include "engine/host/cgroup_file.h"
#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

// As sys::write_file(), but that the file stays open for the next operation. Each value begins at the offset
// 0, which is not for the kernel's own files, but for those of others in their place (lxcfs).
[[nodiscard]] Failure write_kept(WrittenFile& kept, const wire::WriteCgroupFile& op) {
  if (!kept.fd.valid() || std::strcmp(kept.path.data(), op.file.data) != 0) {
    auto fd = sys::open_host(op.file.data, O_WRONLY);
    if (!fd.ok()) {
      return fd.failure();
    }
    kept.fd = std::move(*fd);
    kept.path.clear();
    kept.path.append(op.file.data, op.file.size + 1);
  }
  return sys::write_once_at(kept.fd.get(), op.value.data, op.value.size, 0, op.file.data);
}

// cgroups(7) "Cgroups v2 subtree control": one controller a write, so that the error names the one at fault.
class Enabler {
 public:
  Enabler(HostContext& context, const wire::EnableControllers& op) noexcept : context_(context), op_(op) {}

  [[nodiscard]] Failure enable(const char* dir) {
    sys::UniqueFd fd(::open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    char available[512];
    char enabled[512];
    if (!fd.valid()) {
      return sys::fail("open", op_.path.data);
    }
    const auto have = sys::read_file(fd.get(), "cgroup.controllers", available, sizeof available);
    const auto now = sys::read_file(fd.get(), "cgroup.subtree_control", enabled, sizeof enabled);
    if (!have.ok() || !now.ok()) {
      const Failure& failure = have.ok() ? now.failure() : have.failure();
      return sys::fail(failure.code, failure.call, op_.path.data, nullptr);
    }
    for (uint32_t i = 0; i < op_.controllers.count; ++i) {
      const char* controller = op_.controllers.items[i];
      if (has_word(enabled, controller)) {
        continue;
      }
      TSRUNC_TRY(has_word(available, controller) ? add(fd.get(), dir, controller)
                                                 : unavailable(dir, controller));
    }
    for (uint32_t i = 0; i < op_.optional.count; ++i) {
      const char* controller = op_.optional.items[i];
      if (has_word(available, controller) && !has_word(enabled, controller)) {
        (void)write_added(fd.get(), controller);  // not asked for: what a refusal costs are its statistics
      }
    }
    return kOk;
  }

 private:
  [[nodiscard]] static bool has_word(const char* text, const char* word) noexcept {
    const size_t length = std::strlen(word);
    for (const char* at = text; *at != 0;) {
      const size_t size = std::strcspn(at, " \n");
      if (size == length && std::memcmp(at, word, length) == 0) {
        return true;
      }
      at += size + std::strspn(at + size, " \n");
    }
    return false;
  }

  [[nodiscard]] static Failure write_added(int dir, const char* controller) noexcept {
    char value[NAME_MAX];
    sys::Text text(value);
    text.add("+").add(controller);
    return sys::write_file(dir, "cgroup.subtree_control", text.c_str(), text.size());
  }

  [[nodiscard]] Failure add(int dir, const char* path, const char* controller) {
    const Failure failure = write_added(dir, controller);
    if (!failure) {
      return kOk;
    }
    sys::Text detail(context_.detail);
    detail.add("the \"").add(controller).add("\" controller cannot be enabled in ").add(path).add(": ");
    detail.add(errno_text(failure.code));
    if (failure.code == EBUSY) {
      // cgroups(7) "no internal processes" rule.
      detail.add(" (the directory holds processes; version 2 allows these only in the lowest cgroups)");
    }
    return sys::fail(failure.code, "write", op_.path.data, context_.detail);
  }

  // cgroup.controllers of a directory is cgroup.subtree_control of the one above: that is where it ends.
  [[nodiscard]] Failure unavailable(const char* path, const char* controller) {
    sys::Text text(context_.detail);
    text.add("the \"").add(controller).add("\" controller is not available in ").add(path);
    add_delegation_advice(text, path, controller);
    return sys::fail(ENOENT, "write", op_.path.data, context_.detail);
  }

  HostContext& context_;
  const wire::EnableControllers& op_;
};

}  // namespace

Failure run(HostContext& context, const wire::WriteCgroupFile& op) {
  const Failure failure = write_kept(context.written, op);
  if (!failure || (is_missing_file(failure) && op.if_any)) {
    return kOk;
  }
  return is_missing_file(failure) ? missing_file(context, op.file.data)
                                  : refused_value(context, failure, op.file.data, op.value.data);
}

Failure run(HostContext& context, const wire::JoinCgroup& op) {
  char path[PATH_MAX];
  sys::Text file(path);
  file.add(op.path.data).add("/cgroup.procs");
  char number[24];
  sys::Text text(number);
  text.add(static_cast<uint64_t>(context.init.pid));
  const Failure failure = sys::write_file(AT_FDCWD, path, text.c_str(), text.size());
  if (!failure) {
    return kOk;
  }
  const char* detail =
      failure.code == ENOSPC ? "the cpuset has no CPUs or memory nodes: no space left on device" : nullptr;
  return sys::fail(failure.code, failure.call, op.path.data, detail);
}

Failure run(HostContext& context, const wire::EnableControllers& op) {
  const size_t length = op.path.size;
  if (length >= PATH_MAX || length <= op.root.size ||
      std::strncmp(op.path.data, op.root.data, op.root.size) != 0) {
    return sys::fail(EINVAL, "open", op.path.data, "the cgroup is not beneath its hierarchy's mount point");
  }
  Enabler enabler(context, op);
  char path[PATH_MAX];
  std::memcpy(path, op.path.data, length + 1);
  // The mount point itself, then every directory that has one of the path's beneath it.
  for (size_t at = op.root.size; at < length; ++at) {
    const bool border = path[at] == '/' && at + 1 < length && path[at + 1] != '/';
    if (border) {
      path[at] = 0;
      TSRUNC_TRY(enabler.enable(at == 0 ? "/" : path));
      path[at] = '/';
    }
  }
  return kOk;
}

}  // namespace tsrunc::engine
