// NOTIFY_SOCKET (sd_notify(3)), as with runc: the container has a socket of its own, in the directory
// `notify` of its state, which create has mounted; the process that starts it listens there and tells the
// caller's socket that the program is ready.
#pragma once

#include <sys/types.h>

#include "engine/host_context.h"
#include "launcher/log.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class Notify {
 public:
  // `host`: NOTIFY_SOCKET of the caller; nullptr or empty: there is nothing to do, then and later. Before the
  // program runs: connects to the caller's socket and binds the container's. ENOENT where the container has
  // no directory for it.
  [[nodiscard]] sys::Failure open(const engine::StateDir& state, const char* host) noexcept;
  [[nodiscard]] bool active() const noexcept { return inner_.valid(); }

  // Waits until the program is ready or the container has ended, then tells the caller so: READY=1, MAINPID=,
  // and BARRIER=1, which it waits for. Others may use the container meanwhile. Returns the exit code; what
  // went wrong is logged, the container runs all the same.
  [[nodiscard]] int attend(const engine::HostContext& context, Logger& log) noexcept;

  // For whoever waits for other things too: what to wait for (-1: nothing any more), and what to do then. A
  // program that is ready is told as READY=1 alone: the caller has the pid of tsrunc, which goes on.
  [[nodiscard]] int fd() const noexcept { return inner_.get(); }
  [[nodiscard]] sys::Failure take() noexcept;

 private:
  [[nodiscard]] bool receive_ready() noexcept;
  [[nodiscard]] sys::Failure await_ready(const engine::HostContext& context, Logger& log) noexcept;
  [[nodiscard]] sys::Failure tell(const char* text) noexcept;
  [[nodiscard]] sys::Failure barrier(Logger& log) noexcept;

  const char* host_ = nullptr;
  sys::UniqueFd outer_;  // to the caller
  sys::UniqueFd inner_;  // the container's
};

}  // namespace tsrunc::launcher
