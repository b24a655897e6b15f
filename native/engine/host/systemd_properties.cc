// setUnitProperties: systemd keeps what an update has written by files.
#include "engine/host/systemd_properties.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "engine/host/cgroup_freeze.h"
#include "engine/host/systemd_manager.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Text;

// First line of each file, so that it can be had again.
class Lines {
 public:
  [[nodiscard]] Failure read(const wire::StrList& files) {
    for (uint32_t i = 0; i < files.count; ++i) {
      starts_.push(bytes_.size());
      TSRUNC_TRY(read_line(files.items[i], bytes_));
    }
    return kOk;
  }

  // Writes those that are another one by now.
  [[nodiscard]] Failure put_back(const wire::StrList& files) const {
    sys::Array<char> now;
    for (uint32_t i = 0; i < files.count; ++i) {
      const char* before = bytes_.data() + starts_[i];
      now.clear();
      TSRUNC_TRY(read_line(files.items[i], now));
      if (std::strcmp(before, now.data()) == 0) {
        continue;
      }
      // A write of nothing would not reach the kernel; a line end empties a list.
      const char* text = *before == 0 ? "\n" : before;
      TSRUNC_TRY(sys::write_file(AT_FDCWD, files.items[i], text, std::strlen(text)));
    }
    return kOk;
  }

 private:
  [[nodiscard]] static Failure read_line(const char* file, sys::Array<char>& out) {
    sys::Array<char> text;
    TSRUNC_TRY(sys::read_whole(AT_FDCWD, file, text));
    text.push(0);
    out.append(text.data(), std::strcspn(text.data(), "\n"));
    out.push(0);
    return kOk;
  }

  sys::Array<char> bytes_;
  sys::Array<size_t> starts_;
};

struct Bodies {
  const wire::Bytes& all;
  const wire::Bytes& reduced;
};

[[nodiscard]] Failure tell(HostContext& context, SystemdManager& manager, const char* unit,
                           const Bodies& bodies) {
  constexpr char kMember[] = "SetUnitProperties";
  constexpr char kSignature[] = "sba(sv)";
  const Failure failure = manager.call(kMember, kSignature, bodies.all.data, bodies.all.size);
  if (!failure || bodies.reduced.size == 0 || !manager.refuses_property()) {
    return failure;
  }
  char told[sizeof context.detail] = {};
  Text(told).add(context.detail);
  TSRUNC_TRY(manager.call(kMember, kSignature, bodies.reduced.data, bodies.reduced.size));
  Text(context.detail).add(told);
  warn_of_old_systemd(context, unit);
  return kOk;
}

// The answer comes once systemd has written its files.
[[nodiscard]] Failure tell_frozen(HostContext& context, SystemdManager& manager,
                                  const wire::SetUnitProperties& op) {
  const FrozenCgroup frozen(op.frozen);
  return tell(context, manager, op.unit.data, {op.body, op.reduced});
}

[[nodiscard]] Failure check_mark(HostContext& context, SystemdManager& manager,
                                 const wire::SetUnitProperties& op) {
  bool own = false;
  TSRUNC_TRY(manager.bears_mark(op.object.data, op.mark.data, own));
  if (own) {
    return kOk;
  }
  Text(context.detail)
      .add("unit ")
      .add(op.unit.data)
      .add(" is not the container's any more: it was stopped, and may have been started by somebody else");
  return sys::fail(ESTALE, "SetUnitProperties", op.unit.data, context.detail);
}

}  // namespace

void warn_of_old_systemd(HostContext& context, const char* unit) {
  char text[sizeof context.detail + 256];
  Text(text)
      .add("unit ")
      .add(unit)
      .add(" lacks some properties, which this systemd does not know: ")
      .add(context.detail);
  context.log.warn(text);
}

Failure run(HostContext& context, const wire::SetUnitProperties& op) {
  SystemdManager manager({op.bus.data, op.peer.data, op.seconds}, op.unit.data, context.detail,
                         sizeof context.detail);
  TSRUNC_TRY(manager.open());
  TSRUNC_TRY(check_mark(context, manager, op));
  Lines lines;
  TSRUNC_TRY(lines.read(op.files));
  const Failure failure = tell_frozen(context, manager, op);
  if (failure && manager.refused()) {
    return failure;
  }
  // An answer that did not come may mean either.
  context.told_unit = &op;
  return failure ? failure : lines.put_back(op.files);
}

Failure undo_unit_properties(HostContext& context) {
  const wire::SetUnitProperties* op = context.told_unit;
  if (op == nullptr || op->undo.size == 0) {
    return kOk;
  }
  SystemdManager manager({op->bus.data, op->peer.data, op->seconds}, op->unit.data, context.detail,
                         sizeof context.detail);
  TSRUNC_TRY(manager.open());
  Lines lines;
  TSRUNC_TRY(lines.read(op->files));
  TSRUNC_TRY(tell(context, manager, op->unit.data, {op->undo, op->undo_reduced}));
  return lines.put_back(op->files);
}

}  // namespace tsrunc::engine
