// sendSeccompListener: config-linux.md "Seccomp", listenerPath and "The Container Process State".
#include <cstring>

#include "engine/host/stream_socket.h"
#include "engine/host_context.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

// config-linux.md: the pid of the process, and that of the state, which is the same while it is created.
constexpr uint32_t kPids = 2;

}  // namespace

sys::Failure run(HostContext& context, const wire::SendSeccompListener& op) {
  if (!context.seccomp_listener.valid()) {
    return sys::fail(EBADF, "sendmsg", op.socket.data, "init has sent no seccomp listener");
  }
  if (op.message.count < 2 || op.message.count > kPids + 1) {
    return sys::fail(EINVAL, "plan", nullptr, "the container process state has not two or three pieces");
  }
  const auto socket = connect_stream(op.socket.data);
  if (!socket.ok()) {
    return socket.failure();
  }
  char pid[24];
  const sys::Text number = sys::Text(pid).add(static_cast<uint64_t>(context.init.pid));
  iovec parts[2 * kPids + 1];
  size_t count = 0;
  for (uint32_t i = 0; i < op.message.count; ++i) {
    if (i > 0) {
      parts[count++] = {pid, number.size()};
    }
    const char* piece = op.message.items[i];
    parts[count++] = {const_cast<char*>(piece), std::strlen(piece)};
  }
  TSRUNC_TRY(
      send_with_descriptor(socket->get(), parts, count, context.seccomp_listener.get(), op.socket.data));
  context.seccomp_listener.reset();
  context.agent = op.socket.data;
  return sys::kOk;
}

}  // namespace tsrunc::engine
