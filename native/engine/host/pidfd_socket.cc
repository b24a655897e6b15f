// sendPidfd: a handle of the container's process goes to the caller's socket.
#include "engine/host/stream_socket.h"
#include "engine/host_context.h"

namespace tsrunc::engine {

sys::Failure run(HostContext& context, const wire::SendPidfd& op) {
  const auto socket = connect_stream(op.socket.data);
  if (!socket.ok()) {
    return socket.failure();
  }
  // SCM_RIGHTS goes with at least one byte (unix(7)).
  char name[] = "pidfd";
  iovec part{name, sizeof name - 1};
  return send_with_descriptor(socket->get(), &part, 1, context.init_pidfd.get(), op.socket.data);
}

}  // namespace tsrunc::engine
