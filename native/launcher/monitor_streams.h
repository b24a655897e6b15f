// The streams of a process that has a monitor, before there is either of them.
#pragma once

#include "launcher/monitor_order.h"
#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::launcher {

class MonitorStreams {
 public:
  // Opens what --stdin, --stdout and --stderr name and, without a terminal, makes the pipes.
  [[nodiscard]] sys::Failure open(const wire::Launch& launch, bool terminal);
  // Without a terminal: makes the pipes' ends the standard streams of this process, which the next child
  // inherits.
  [[nodiscard]] sys::Failure place() noexcept;
  // The child has them: this process has /dev/null.
  [[nodiscard]] sys::Failure leave() noexcept;
  // Takes the master of the process's terminal; an invalid one where it has none.
  [[nodiscard]] sys::Failure take_terminal(sys::UniqueFd master) noexcept;
  // The descriptors stay this object's.
  void fill(MonitorOrder& order) const noexcept;

 private:
  sys::UniqueFd in_source_, in_sink_, out_source_, out_sink_, err_source_, err_sink_;
  sys::UniqueFd log_;
  sys::UniqueFd child_[3];
};

}  // namespace tsrunc::launcher
