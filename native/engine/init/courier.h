// Who speaks for init once a filter with a listener is loaded.
//
// From then on any system call of init may wait for an answer of the listener, or be forbidden: also the one
// by which the listener would be handed over, before anybody holds it. So that is done by a thread which was
// made before and is not under the filter (a filter is a thread's, seccomp(2)). No permission to look into
// init is needed for that, as it is for pidfd_getfd(2), and no system call of init.
//
//   init                              courier                       host side
//   start()
//   seccomp(2), loaded(fd)   ──────▶  filtered + listener  ───────▶  sends it on
//   setCapabilities
//   ready()                  ──────▶  ready + console      ───────▶
//   reads exec.fifo                   ◀────────────────────────────  committed
//                                     closes the socket, ends
//
// The two share memory and descriptors. The courier also takes over from the parent death signal: it ends the
// process when the host side is gone.
#pragma once

#include "engine/init/init_context.h"
#include "engine/sync.h"

namespace tsrunc::engine {

// Makes the thread, which takes over init's socket and console. EAGAIN: the pids limit leaves no room for it.
[[nodiscard]] sys::Failure start_courier(InitContext& context) noexcept;

// The filter could not be loaded: init has its socket and console back.
void dismiss_courier(InitContext& context) noexcept;

// The filter is loaded. Takes the listener over. Makes no system call.
void courier_loaded(InitContext& context, int listener) noexcept;

// Reports to the host side, with the console. Makes no system call.
void courier_ready(InitContext& context) noexcept;

// Reports the failure and ends the process. Makes no system call.
[[noreturn]] void courier_failed(InitContext& context, const Message& message) noexcept;

}  // namespace tsrunc::engine
