#include "launcher/monitored.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <utility>

#include "engine/container_id.h"
#include "engine/unix_address.h"
#include "launcher/describe.h"
#include "sys/text.h"

namespace tsrunc::launcher {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

[[nodiscard]] Failure open_directory(int state, const char* exec_id, sys::UniqueFd& out) noexcept {
  char name[512];
  sys::Text text(name);
  text.add(engine::kMonitorDir).add("/").add(exec_id == nullptr ? "init" : "exec-");
  if (exec_id != nullptr) {
    if (!engine::valid_container_id(exec_id)) {
      return sys::fail(EINVAL, "open", nullptr, nullptr);
    }
    text.add(exec_id);
  }
  out.reset(::openat(state, name, kDirectory));
  return out.valid() || errno == ENOENT ? kOk : sys::fail("open", "monitor");
}

}  // namespace

bool open_monitored(const Arguments& arguments, Logger& log, Monitored& out) {
  const char* id = arguments.positionals[0];
  if (const Failure failure = out.container.open(arguments.root, id, log); failure) {
    (void)report_missing(log, id, failure);
    return false;
  }
  Failure failure = open_directory(out.container.state.fd(), arguments.exec_id, out.directory);
  if (!failure && out.any()) {
    failure = engine::read_monitor_pids(out.directory.get(), out.pids);
  }
  if (failure) {
    log.error(Sentence("find the monitor", failure).text);
    return false;
  }
  if (!out.any() && arguments.exec_id != nullptr) {
    char buffer[512];
    sys::Text text(buffer);
    text.add("container \"").add(id).add("\" has no process \"").add(arguments.exec_id);
    log.error(text.add("\" that was started by exec --monitor --exec-id").c_str());
    return false;
  }
  return true;
}

Failure MonitorCall::connect(int directory) {
  char path[64];
  sys::Text(path).add(sys::FdPath(directory).text).add("/socket");
  engine::UnixAddress address;
  TSRUNC_TRY(engine::make_address(path, address));
  socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_.valid()) {
    return sys::fail("socket");
  }
  while (::connect(socket_.get(), address.get(), address.length) != 0) {
    if (errno != EINTR) {
      return sys::fail("connect", "the monitor's socket");
    }
  }
  return kOk;
}

Failure MonitorCall::send(char type, const char* data, size_t size) noexcept {
  char head[kFrameHead];
  put_frame_head(type, size, head);
  for (const auto& [at, length] : {std::pair<const char*, size_t>{head, sizeof head}, {data, size}}) {
    for (size_t done = 0; done < length;) {
      const ssize_t sent = ::send(socket_.get(), at + done, length - done, MSG_NOSIGNAL);
      if (sent < 0 && errno != EINTR) {
        return sys::fail("send", "the monitor's socket");
      }
      done += sent > 0 ? static_cast<size_t>(sent) : 0;
    }
  }
  return kOk;
}

Failure MonitorCall::read(char* data, size_t size) noexcept {
  for (size_t done = 0; done < size;) {
    const ssize_t got = ::recv(socket_.get(), data + done, size - done, 0);
    if (got == 0) {
      return sys::fail(EPIPE, "recv", "the monitor's socket", nullptr);
    }
    if (got < 0 && errno != EINTR) {
      return sys::fail(errno == ECONNRESET ? EPIPE : errno, "recv", "the monitor's socket", nullptr);
    }
    done += got > 0 ? static_cast<size_t>(got) : 0;
  }
  return kOk;
}

Failure MonitorCall::receive() {
  char head[kFrameHead];
  TSRUNC_TRY(read(head, sizeof head));
  type_ = head[0];
  size_ = frame_size(head);
  if (size_ > kLargestFrame) {
    return sys::fail(EBADMSG, "recv", "the monitor's socket", nullptr);
  }
  TSRUNC_TRY(read(data_, size_));
  data_[size_] = 0;
  return type_ == kFrameFault ? sys::fail(sys::kNoErrno, "recv", nullptr, data_) : kOk;
}

}  // namespace tsrunc::launcher
