// The keeper: one small process for a containerd namespace that holds the listening socket and containerd's
// connections. containerd takes a connection that closes for the death of a shim and all its containers, so
// that whoever holds it must not do anything that can fail. It passes frames on to the resident process,
// remembers the requests that wait for an answer, and starts another resident process when the one that was
// there has died.
#pragma once

#include "shim/place.h"
#include "shim/shim.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::shim {

// The descriptor of the listening socket, for the keeper alone.
inline constexpr char kListenerVariable[] = "_TSRUNC_SHIM_LISTENER";

// Leaves a keeper behind, with a session and no descriptor but the socket.
[[nodiscard]] sys::Failure leave_keeper(const Flags& flags, const Place& place, sys::UniqueFd listener);

}  // namespace tsrunc::shim
