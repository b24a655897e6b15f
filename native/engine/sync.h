// The socket between the host side and init: SOCK_SEQPACKET, one message a packet.
//
//   host                                         init
//   sources    ──────────────────────────────▶   (+ descriptors of them, SCM_RIGHTS)
//   mapped     ──────────────────────────────▶   goes on after clone
//              ◀──────────────────────────────   mounted, and
//   hooked     ──────────────────────────────▶   these three only where there is something to be done before
//              ◀──────────────────────────────   ready (+ master of the console, SCM_RIGHTS)
//   committed  ──────────────────────────────▶   no longer ends with its parent; waits at exec.fifo
//
// At any time init may send a warning or its one failure. If either side is gone the other reads end of file:
// init then ends, so that a killed tsrunc leaves no process behind.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "engine/failure_record.h"
#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// kSource, kTree: a descriptor for the slot whose number stands in `step`; see openSource.
enum class MessageType : uint32_t {
  kStep = 1,
  kFailure = 2,
  kWarning = 3,
  kExecuting = 4,
  kSource = 5,
  kTree = 6,
  kMember = 7,  // exec: the process goes on as another one: `step` is its pid, a pidfd comes along
};

struct Message {
  MessageType type{};
  uint32_t step = 0;  // wire::Step, or the number of a slot
  FailureRecord record;
};

// Sends a step without the record's bytes. `fd`: a descriptor to give along, or -1.
[[nodiscard]] sys::Failure send_step(int socket, wire::Step step, int fd = -1) noexcept;
// Tells the host side by which process the caller goes on.
[[nodiscard]] sys::Failure send_member(int socket, pid_t pid, int pidfd) noexcept;
// Gives init a descriptor for a slot.
[[nodiscard]] sys::Failure send_slot(int socket, MessageType type, uint32_t slot, int fd) noexcept;
[[nodiscard]] sys::Failure send_message(int socket, const Message& message) noexcept;

// Waits for a message. ECONNRESET: the other side is gone. `fd` takes a descriptor that came along.
[[nodiscard]] sys::Failure receive(int socket, Message& out, sys::UniqueFd* fd) noexcept;

}  // namespace tsrunc::engine
