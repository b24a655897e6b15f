#include "engine/host/systemd_manager.h"

#include <cerrno>
#include <cstring>

#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Deadline;
using sys::Failure;
using sys::kOk;
using sys::Text;

constexpr char kSystemd[] = "org.freedesktop.systemd1";
constexpr char kManagerPath[] = "/org/freedesktop/systemd1";
constexpr char kManager[] = "org.freedesktop.systemd1.Manager";
constexpr char kUnit[] = "org.freedesktop.systemd1.Unit";
constexpr char kProperties[] = "org.freedesktop.DBus.Properties";
constexpr char kBus[] = "org.freedesktop.DBus";

[[nodiscard]] bool equal(const char* one, const char* other) noexcept {
  return std::strcmp(one, other) == 0;
}

[[nodiscard]] bool is_absent(const Failure& failure) noexcept {
  return failure.code == ENOENT || failure.code == ECONNREFUSED;
}

// A name of an error as an errno, for the message's end.
[[nodiscard]] int code_of(const char* error) noexcept {
  if (equal(error, "org.freedesktop.DBus.Error.AccessDenied") ||
      equal(error, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")) {
    return EACCES;
  }
  if (equal(error, "org.freedesktop.systemd1.UnitExists")) {
    return EEXIST;
  }
  return std::strncmp(error, "org.freedesktop.DBus.Error.", 27) == 0 ? EINVAL : EPROTO;
}

}  // namespace

bool SystemdManager::refused_as(const char* name) const noexcept {
  return equal(error_, name);
}

bool SystemdManager::refuses_property() const noexcept {
  return refused_as("org.freedesktop.DBus.Error.PropertyReadOnly") ||
         refused_as("org.freedesktop.DBus.Error.InvalidArgs") ||
         refused_as("org.freedesktop.DBus.Error.UnknownProperty");
}

Failure SystemdManager::open() noexcept {
  const Failure failure = connection_.open(address_.bus, true);
  if (!is_absent(failure) || address_.peer[0] == 0) {
    return failure;
  }
  const Failure second = connection_.open(address_.peer, false);
  // The bus is what a host should have.
  return is_absent(second) ? failure : second;
}

Failure SystemdManager::watch_jobs() noexcept {
  if (!connection_.is_bus()) {
    return kOk;  // it tells us everything
  }
  char rule[512];
  Text text(rule);
  text.add("type='signal',sender='").add(kSystemd).add("',path='").add(kManagerPath).add("',interface='");
  text.add(kManager).add("',member='JobRemoved',arg2='").add(unit_).add("'");
  sys::Array<uint8_t> body;
  dbus_add_string(body, rule);
  return exchange({kBus, "/org/freedesktop/DBus", kBus, "AddMatch", "s"}, body.data(), body.size());
}

// JobRemoved(u id, o job, s unit, s result)
void SystemdManager::on_signal(const DbusMessage& message) noexcept {
  if (!equal(message.member, "JobRemoved") || !equal(message.interface, kManager) ||
      !equal(message.signature, "uoss")) {
    return;
  }
  DbusReader in(message);
  (void)in.u32();
  const char* job = in.string();
  const char* unit = in.string();
  const char* result = in.string();
  // One of the job that is waited for is kept, whatever follows.
  if (in.ok() && equal(unit, unit_) && (job_[0] == 0 || !equal(ended_, job_))) {
    Text(ended_).add(job);
    Text(result_).add(result);
  }
}

Failure SystemdManager::exchange(const DbusCall& call, const uint8_t* body, size_t size) noexcept {
  error_[0] = 0;
  TSRUNC_TRY(connection_.call(call, body, size, answer_));
  if (answer_.type == DbusType::kReply) {
    return kOk;
  }
  Text(error_).add(answer_.error_name[0] == 0 ? "?" : answer_.error_name);
  DbusReader in(answer_);
  const char* sentence = answer_.signature[0] == 's' ? in.string() : "";
  Text text(detail_, detail_size_);
  text.add("systemd refuses ").add(call.member).add(" of ").add(unit_).add(": ");
  text.add(*sentence == 0 ? error_ : sentence);
  return sys::fail(code_of(error_), call.member, unit_, detail_);
}

Failure SystemdManager::call(const char* member, const char* signature, const uint8_t* body,
                             size_t size) noexcept {
  const char* destination = connection_.is_bus() ? kSystemd : nullptr;
  return exchange({destination, kManagerPath, kManager, member, signature}, body, size);
}

Failure SystemdManager::call(const char* member, const char* const* texts, size_t count) noexcept {
  sys::Array<uint8_t> body;
  char signature[16];
  Text text(signature);
  for (size_t i = 0; i < count; ++i) {
    dbus_add_string(body, texts[i]);
    text.add("s");
  }
  return call(member, signature, body.data(), body.size());
}

Failure SystemdManager::wait_for_job(const char* member) noexcept {
  char what[512];
  Text(what).add("systemd did not finish the job of ").add(member).add(" for ").add(unit_);
  const Deadline deadline(int64_t{connection_.seconds()} * 1000);
  while (!equal(ended_, job_)) {
    TSRUNC_TRY(connection_.pump(deadline, what));
    if (deadline.over() && !equal(ended_, job_)) {
      return connection_.no_answer(what);
    }
  }
  if (equal(result_, "done")) {
    return kOk;
  }
  Text text(detail_, detail_size_);
  text.add("the job of systemd ended as \"").add(result_).add("\" (see journalctl -u ").add(unit_).add(")");
  return sys::fail(EPROTO, member, unit_, detail_);
}

Failure SystemdManager::run_job(const char* member, const char* signature, const uint8_t* body,
                                size_t size) noexcept {
  job_[0] = 0;
  ended_[0] = 0;
  TSRUNC_TRY(call(member, signature, body, size));
  DbusReader in(answer_);
  const char* job = equal(answer_.signature, "o") ? in.string() : "";
  if (!in.ok() || *job == 0) {
    Text(detail_, detail_size_).add("systemd answers ").add(member).add(" with something else than a job");
    return sys::fail(EPROTO, member, unit_, detail_);
  }
  Text(job_).add(job);
  return wait_for_job(member);
}

Failure SystemdManager::get(const char* object, const char* name) noexcept {
  sys::Array<uint8_t> body;
  dbus_add_string(body, kUnit);
  dbus_add_string(body, name);
  const char* destination = connection_.is_bus() ? kSystemd : nullptr;
  const Failure failure = exchange({destination, object, kProperties, "Get", "ss"}, body.data(), body.size());
  if (failure && !refused()) {
    return failure;
  }
  if (failure || !equal(answer_.signature, "v")) {
    answer_.body_size = 0;  // a unit that is not loaded has no object
  }
  return kOk;
}

Failure SystemdManager::bears_mark(const char* object, const char* mark, bool& out) noexcept {
  out = false;
  TSRUNC_TRY(get(object, "Documentation"));
  DbusReader in(answer_);
  if (!equal(in.signature(), "as")) {
    return kOk;
  }
  const size_t end = in.array_end(4);
  while (in.ok() && in.at() < end) {
    out = equal(in.string(), mark) || out;
  }
  return kOk;
}

Failure SystemdManager::is_active(const char* object, bool& out) noexcept {
  TSRUNC_TRY(get(object, "ActiveState"));
  DbusReader in(answer_);
  const char* state = equal(in.signature(), "s") ? in.string() : "";
  out = *state != 0 && !equal(state, "inactive") && !equal(state, "failed");
  return kOk;
}

}  // namespace tsrunc::engine
