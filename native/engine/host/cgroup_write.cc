// The operations that write one value into one file of a cgroup.
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <cstring>

#include "engine/errno_text.h"
#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

// "memory" of ".../memory.max", in quotes.
void add_controller(sys::Text& out, const char* file) noexcept {
  const char* name = std::strrchr(file, '/');
  name = name == nullptr ? file : name + 1;
  out.add("\"").add(name, std::strcspn(name, ".")).add("\"");
}

[[nodiscard]] Failure missing_file(HostContext& context, const char* file) {
  sys::Text text(context.detail);
  text.add(file).add(": no such file or directory: the ");
  add_controller(text, file);
  text.add(" controller is not available here, or this kernel's does not know this limit");
  return sys::fail(ENOENT, "open", file, context.detail);
}

[[nodiscard]] Failure write_value(const char* file, const char* value, size_t size) noexcept {
  return sys::write_file(AT_FDCWD, file, value, size);
}

[[nodiscard]] bool is_missing(const Failure& failure) noexcept {
  return failure.code == ENOENT && std::strcmp(failure.call, "open") == 0;
}

// The value belongs to the message: most refusals are about it.
[[nodiscard]] Failure refused(HostContext& context, const Failure& failure, const char* file,
                              const char* value) {
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

  [[nodiscard]] Failure unavailable(const char* path, const char* controller) {
    sys::Text(context_.detail)
        .add("the \"")
        .add(controller)
        .add("\" controller is not available in ")
        .add(path);
    return sys::fail(ENOENT, "write", op_.path.data, context_.detail);
  }

  HostContext& context_;
  const wire::EnableControllers& op_;
};

}  // namespace

Failure run(HostContext& context, const wire::WriteCgroupFile& op) {
  const Failure failure = write_value(op.file.data, op.value.data, op.value.size);
  if (!failure || (is_missing(failure) && op.if_any)) {
    return kOk;
  }
  return is_missing(failure) ? missing_file(context, op.file.data)
                             : refused(context, failure, op.file.data, op.value.data);
}

Failure run(HostContext& context, const wire::WriteFirstCgroupFile& op) {
  if (op.files.count != op.values.count) {
    return sys::fail(EINVAL, "plan", nullptr, "the lists of files and values do not fit");
  }
  sys::Text missing(context.detail);
  missing.add("this kernel has none of ");
  for (uint32_t i = 0; i < op.files.count; ++i) {
    const char* file = op.files.items[i];
    const char* value = op.values.items[i];
    const Failure failure = write_value(file, value, std::strlen(value));
    if (!is_missing(failure)) {
      return failure ? refused(context, failure, file, value) : kOk;
    }
    missing.add(i == 0 ? "" : ", ").add(file);
  }
  return sys::fail(ENOENT, "open", op.files.count > 0 ? op.files.items[0] : nullptr, context.detail);
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
