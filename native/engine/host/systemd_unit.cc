// startUnit, checkUnit and stopUnit: the container's cgroup as a unit of systemd.
#include <fcntl.h>

#include <cstring>

#include "engine/failure_text.h"
#include "engine/host/systemd_manager.h"
#include "engine/host/systemd_properties.h"
#include "engine/host_context.h"
#include "engine/journal.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;
using sys::Text;

constexpr char kUnitExists[] = "org.freedesktop.systemd1.UnitExists";

// The arguments of StartTransientUnit with init's pid in its place.
class StartBody {
 public:
  [[nodiscard]] Failure fill(const wire::Bytes& bytes, uint32_t pid_offset, pid_t pid) noexcept {
    body_.clear();
    body_.append(bytes.data, bytes.size);
    if (pid_offset == 0) {
      return kOk;
    }
    if (bytes.size < 4 || pid_offset > bytes.size - 4) {
      return sys::fail(EINVAL, "plan", nullptr, "the place of the process lies outside of the call");
    }
    for (size_t i = 0; i < 4; ++i) {
      body_[pid_offset + i] = static_cast<uint8_t>(static_cast<uint32_t>(pid) >> (8 * i));
    }
    return kOk;
  }
  [[nodiscard]] Failure start(SystemdManager& manager) const noexcept {
    return manager.run_job("StartTransientUnit", "ssa(sv)a(sa(sv))", body_.data(), body_.size());
  }

 private:
  sys::Array<uint8_t> body_;
};

[[nodiscard]] Failure start(HostContext& context, SystemdManager& manager, const wire::StartUnit& op) {
  StartBody body;
  TSRUNC_TRY(body.fill(op.body, op.pid_offset, context.init.pid));
  Failure failure = body.start(manager);
  if (failure && manager.refused_as(kUnitExists)) {
    // What failed before stays until somebody resets it.
    const char* const unit[] = {op.unit.data};
    TSRUNC_TRY(manager.call("ResetFailedUnit", unit, 1));
    failure = body.start(manager);
  }
  if (failure && manager.refuses_property() && op.reduced.size > 0) {
    char told[sizeof context.detail];
    Text(told).add(context.detail);
    TSRUNC_TRY(body.fill(op.reduced, op.reduced_pid_offset, context.init.pid));
    failure = body.start(manager);
    if (!failure) {
      Text(context.detail).add(told);
      warn_of_old_systemd(context, op.unit.data);
    }
  }
  return failure;
}

// cgroups(7): a line "ID:CONTROLLERS:PATH" for each hierarchy. The path of `hierarchy`, cut to its line.
[[nodiscard]] const char* path_in(char* text, const char* hierarchy) noexcept {
  char* rest = nullptr;
  for (char* line = ::strtok_r(text, "\n", &rest); line != nullptr; line = ::strtok_r(nullptr, "\n", &rest)) {
    char* controllers = std::strchr(line, ':');
    char* path = controllers == nullptr ? nullptr : std::strchr(controllers + 1, ':');
    if (path != nullptr) {
      *path = 0;
      if (std::strcmp(controllers + 1, hierarchy) == 0) {
        return path + 1;
      }
    }
  }
  return nullptr;
}

// Where systemd has put init is known by its rules for names; that it has done so is seen.
[[nodiscard]] Failure verify_place(HostContext& context, const wire::StartUnit& op) {
  char file[48];
  Text(file).add("/proc/").add(static_cast<uint64_t>(context.init.pid)).add("/cgroup");
  sys::Array<char> text;
  if (const Failure failure = sys::read_whole(AT_FDCWD, file, text); failure) {
    return sys::fail(failure.code, failure.call, "/proc/PID/cgroup", failure.detail);
  }
  text.push(0);
  const char* path = path_in(text.data(), op.hierarchy.data);
  if (path != nullptr && std::strcmp(path, op.path.data) == 0) {
    return kOk;
  }
  Text out(context.detail);
  out.add("the container should be in cgroup ").add(op.path.data).add(", and systemd has put it into ");
  out.add(path == nullptr ? "none" : path);
  return sys::fail(EPROTO, "open", op.path.data, context.detail);
}

[[nodiscard]] bool made_unit(const Journal& journal, const char* unit) noexcept {
  for (size_t i = 0; i < journal.size(); ++i) {
    if (std::strcmp(journal[i].kind, "unit") == 0 && std::strcmp(journal[i].path, unit) == 0) {
      return i + 1 >= journal.size() || std::strcmp(journal[i + 1].kind, "notmade") != 0;
    }
  }
  return false;
}

[[nodiscard]] Failure stop(SystemdManager& manager, const wire::StopUnit& op) {
  TSRUNC_TRY(manager.open());
  bool own = false;
  TSRUNC_TRY(manager.bears_mark(op.object.data, op.mark.data, own));
  if (!own) {
    return kOk;
  }
  TSRUNC_TRY(manager.watch_jobs());
  sys::Array<uint8_t> body;
  dbus_add_string(body, op.unit.data);
  dbus_add_string(body, "replace");
  const Failure failure = manager.run_job("StopUnit", "ss", body.data(), body.size());
  if (failure && !manager.refused()) {
    return failure;
  }
  // A unit without processes goes by itself, at any moment; one that failed stays until it is reset.
  const char* const unit[] = {op.unit.data};
  const Failure reset = manager.call("ResetFailedUnit", unit, 1);
  return reset && !manager.refused() ? reset : kOk;
}

}  // namespace

Failure run(HostContext& context, const wire::StartUnit& op) {
  SystemdManager manager({op.bus.data, op.peer.data, op.seconds}, op.unit.data, context.detail,
                         sizeof context.detail);
  TSRUNC_TRY(manager.open());
  TSRUNC_TRY(manager.watch_jobs());
  TSRUNC_TRY(context.state.journal("unit", op.unit.data));
  if (const Failure failure = start(context, manager, op); failure) {
    // A refusal has made nothing, and a unit that was there before is somebody else's.
    if (manager.refused()) {
      TSRUNC_TRY(context.state.journal("notmade", op.unit.data));
    }
    return failure;
  }
  // The unit's line stands for what systemd has made so far; from here on files are written there, and delete
  // has to find the directories without systemd, too.
  for (uint32_t i = 0; i < op.directories.count; ++i) {
    TSRUNC_TRY(context.state.journal("cgroup", op.directories.items[i]));
  }
  return op.pid_offset == 0 ? kOk : verify_place(context, op);
}

// A systemd that does not answer is not asked: stopUnit says so, and by files only what the journal has is
// taken away.
Failure run(HostContext& context, const wire::CheckUnit& op) {
  Journal journal;
  TSRUNC_TRY(journal.load(context.state));
  if (!made_unit(journal, op.unit.data)) {
    return kOk;
  }
  SystemdManager manager({op.bus.data, op.peer.data, op.seconds}, op.unit.data, context.detail,
                         sizeof context.detail);
  bool own = true;
  bool active = false;
  if (manager.open() || manager.bears_mark(op.object.data, op.mark.data, own) || own ||
      manager.is_active(op.object.data, active)) {
    return kOk;
  }
  context.foreign_cgroup = active;
  return kOk;
}

Failure run(HostContext& context, const wire::StopUnit& op) {
  Journal journal;
  TSRUNC_TRY(journal.load(context.state));
  if (context.foreign_cgroup || !made_unit(journal, op.unit.data)) {
    return kOk;
  }
  SystemdManager manager({op.bus.data, op.peer.data, op.seconds}, op.unit.data, context.detail,
                         sizeof context.detail);
  const Failure failure = stop(manager, op);
  if (failure) {
    // Its processes are killed and its directories are removed by files; systemd will see that the unit is
    // empty.
    char text[sizeof context.detail + 256];
    Text line(text);
    line.add("unit ").add(op.unit.data).add(" is left to systemd: ");
    add_failure(line, "", failure);
    context.log.warn(text);
  }
  return kOk;
}

}  // namespace tsrunc::engine
