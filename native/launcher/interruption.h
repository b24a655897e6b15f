// Signals to tsrunc while it makes a container. Their default action would leave half of one behind; instead
// init is killed, the engine sees that and takes everything back, and then tsrunc ends by the signal after
// all.
#pragma once

#include "engine/host_context.h"

namespace tsrunc::launcher {

class Interruption {
 public:
  // Watches SIGHUP, SIGINT, SIGQUIT and SIGTERM where the caller has not changed their disposition: an
  // ignored signal stays ignored, in the container too.
  explicit Interruption(const engine::HostContext& context) noexcept;
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // All other signals wait until somebody takes them (signalfd(2)): their default action would end this
  // process once its program has begun. What is started meanwhile begins without a mask (sys/kernel.h,
  // reset_signals).
  void hold_others() noexcept;
  // From now on signals go on to init, which is the container's program.
  void forward() noexcept;
  // Both at once, `hold`: of the others, unless one has come already. True: none has, and none will be taken
  // for an interruption any more.
  [[nodiscard]] bool forward_unless_came(bool hold) noexcept;
  // The signal that came, or 0.
  [[nodiscard]] int signal() const noexcept;
  // Ends this process as the signal would have.
  [[noreturn]] static void end_by(int signal) noexcept;
};

}  // namespace tsrunc::launcher
