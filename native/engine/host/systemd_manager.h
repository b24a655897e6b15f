// org.freedesktop.systemd1.Manager (org.freedesktop.systemd1(5)): calls about one unit, and the end of its
// jobs.
#pragma once

#include <cstdint>

#include "engine/host/dbus_connection.h"
#include "sys/result.h"
#include "wire/decoder.h"

namespace tsrunc::engine {

// Where systemd is asked, as the plan has it.
struct SystemdAddress {
  const char* bus = "";
  const char* peer = "";  // the manager's own socket, where there is no bus; or empty
  uint32_t seconds = 0;
};

class SystemdManager final : private DbusSignals {
 public:
  // `detail`: room for the sentences of failures. `unit` must outlive the object.
  SystemdManager(const SystemdAddress& address, const char* unit, char* detail, size_t detail_size) noexcept
      : address_(address),
        unit_(unit),
        detail_(detail),
        detail_size_(detail_size),
        connection_(*this, static_cast<int>(address.seconds), detail, detail_size) {}

  // Connects to the bus, or to the manager itself where nobody listens at the bus's socket.
  [[nodiscard]] sys::Failure open() noexcept;
  // From now on the ends of the unit's jobs are heard. Before the call that makes a job.
  [[nodiscard]] sys::Failure watch_jobs() noexcept;

  // A method of the manager. A refusal of systemd is a failure too: its name is then in error(), "" for
  // another failure.
  [[nodiscard]] sys::Failure call(const char* member, const char* signature, const uint8_t* body,
                                  size_t size) noexcept;
  // A method that takes a few strings.
  [[nodiscard]] sys::Failure call(const char* member, const char* const* texts, size_t count) noexcept;
  // A method that answers with a job, which is waited for: "done" is success.
  [[nodiscard]] sys::Failure run_job(const char* member, const char* signature, const uint8_t* body,
                                     size_t size) noexcept;

  // Whether the unit at `object` is loaded with `mark` in its Documentation.
  [[nodiscard]] sys::Failure bears_mark(const char* object, const char* mark, bool& out) noexcept;
  // Whether it has processes, or is about to have some.
  [[nodiscard]] sys::Failure is_active(const char* object, bool& out) noexcept;

  [[nodiscard]] const char* error() const noexcept { return error_; }
  [[nodiscard]] bool refused_as(const char* name) const noexcept;
  // It does not know a property, or not with this value.
  [[nodiscard]] bool refuses_property() const noexcept;
  // systemd itself refused: the bus is there and works.
  [[nodiscard]] bool refused() const noexcept { return error_[0] != 0; }

 private:
  void on_signal(const DbusMessage& message) noexcept override;
  [[nodiscard]] sys::Failure exchange(const DbusCall& call, const uint8_t* body, size_t size) noexcept;
  // A property of the unit into answer_; a unit that is not loaded has none.
  [[nodiscard]] sys::Failure get(const char* object, const char* name) noexcept;
  [[nodiscard]] sys::Failure wait_for_job(const char* member) noexcept;

  SystemdAddress address_;
  const char* unit_;
  char* detail_;
  size_t detail_size_;
  DbusConnection connection_;
  DbusMessage answer_;
  char error_[128] = {};
  char job_[256] = {};    // object path of the job that is waited for
  char ended_[256] = {};  // of the unit's job that ended last
  char result_[64] = {};  // and how
};

}  // namespace tsrunc::engine
