// lowerMemory: a limit of memory below what is used, without the kernel's killing anybody
// (Documentation/admin-guide/cgroup-v2.rst "Memory Interface Files").
#include <fcntl.h>
#include <limits.h>

#include <cstdlib>
#include <cstring>

#include "engine/host/cgroup_file.h"
#include "engine/host_context.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

struct Value {
  char text[64] = {};
  [[nodiscard]] uint64_t number() const noexcept { return std::strtoull(text, nullptr, 10); }
};

class Lowering {
 public:
  Lowering(HostContext& context, const wire::LowerMemory& op) noexcept : context_(context), op_(op) {
    sys::Text(limit_).add(op.limit);
  }

  [[nodiscard]] Failure lower() {
    Value high;
    Value max;
    TSRUNC_TRY(read("memory.high", high));
    TSRUNC_TRY(read("memory.max", max));
    note("memory.max", max);
    note("memory.high", high);
    TSRUNC_TRY(write("memory.high", limit_));
    TSRUNC_TRY(reclaim());
    TSRUNC_TRY(write("memory.max", limit_));
    return write("memory.high", high.text);
  }

 private:
  [[nodiscard]] const char* path(const char* name) {
    return sys::Text(path_).add(op_.path.data).add("/").add(name).c_str();
  }

  [[nodiscard]] Failure read(const char* name, Value& out) {
    const auto length = sys::read_file(AT_FDCWD, path(name), out.text, sizeof out.text);
    if (!length.ok()) {
      return is_missing_file(length.failure())
                 ? missing_file(context_, path_)
                 : sys::fail(length.failure().code, "read", op_.path.data, nullptr);
    }
    out.text[std::strcspn(out.text, "\n")] = 0;
    return kOk;
  }

  void note(const char* name, const Value& value) {
    context_.cgroup_undo.note_file(path(name), value.text, std::strlen(value.text));
  }

  [[nodiscard]] Failure write(const char* name, const char* value) {
    const Failure failure = sys::write_file(AT_FDCWD, path(name), value, std::strlen(value));
    if (!failure) {
      return kOk;
    }
    const Failure refused = refused_value(context_, failure, path_, value);
    return sys::fail(refused.code, refused.call, op_.path.data, refused.detail);
  }

  // memory.reclaim (Linux 5.19) ends with EAGAIN where it finds no more for now; before, memory.high is all.
  [[nodiscard]] Failure reclaim() {
    for (sys::Deadline deadline(static_cast<int>(op_.milliseconds));; deadline.pause()) {
      Value current;
      TSRUNC_TRY(read("memory.current", current));
      const uint64_t used = current.number();
      if (used <= op_.limit) {
        return kOk;
      }
      if (deadline.over()) {
        return still_used(used);
      }
      char amount[24];
      sys::Text text(amount);
      text.add(used - op_.limit);
      const Failure failure = sys::write_file(AT_FDCWD, path("memory.reclaim"), text.c_str(), text.size());
      if (failure && failure.code != EAGAIN && failure.code != EINTR && failure.code != ENOENT) {
        return sys::fail(failure.code, failure.call, op_.path.data, nullptr);
      }
    }
  }

  [[nodiscard]] Failure still_used(uint64_t used) {
    sys::Text(context_.detail)
        .add("the cgroup still uses ")
        .add(used)
        .add(" bytes after ")
        .add(static_cast<uint64_t>(op_.milliseconds))
        .add(" ms of reclaim, more than ")
        .add(limit_)
        .add(
            ": its old limit is in force (end some of its processes, allow swap, or leave out --memory-mode "
            "safe)");
    return sys::fail(ETIMEDOUT, "reclaim", op_.path.data, context_.detail);
  }

  HostContext& context_;
  const wire::LowerMemory& op_;
  char limit_[24];
  char path_[PATH_MAX];
};

}  // namespace

Failure run(HostContext& context, const wire::LowerMemory& op) {
  return Lowering(context, op).lower();
}

}  // namespace tsrunc::engine
