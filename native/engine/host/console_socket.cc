// sendConsole: the master of the container's terminal goes to the caller's socket.
#include "engine/host/stream_socket.h"
#include "engine/host_context.h"

namespace tsrunc::engine {

sys::Failure run(HostContext& context, const wire::SendConsole& op) {
  if (!context.console.valid()) {
    return sys::fail(EBADF, "sendmsg", op.socket.data, "the container has no terminal");
  }
  const auto socket = connect_stream(op.socket.data);
  if (!socket.ok()) {
    return socket.failure();
  }
  // The descriptor's name as data, as the receivers of runc's console sockets expect it.
  char name[] = "/dev/ptmx";
  iovec part{name, sizeof name - 1};
  TSRUNC_TRY(send_with_descriptor(socket->get(), &part, 1, context.console.get(), op.socket.data));
  context.console.reset();
  return sys::kOk;
}

}  // namespace tsrunc::engine
