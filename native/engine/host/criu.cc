#include "engine/host/criu.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "engine/init_process.h"
#include "sys/array.h"
#include "sys/descriptor_message.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::engine {
namespace {

using sys::Failure;
using sys::kOk;

using sys::UniqueFd;

constexpr int kSocket = 3;
constexpr int kStillMilliseconds = 120000;
constexpr int kEndMilliseconds = 2000;
// What CRIU has to say of the death of a restored process: it may be the reason for it.
constexpr int kLastWordMilliseconds = 2000;

// Fields of rpc.proto.
constexpr uint32_t kImagesDirFd = 1;
constexpr uint32_t kWorkDirFd = 17;
constexpr uint32_t kReqType = 1;
constexpr uint32_t kReqOpts = 2;
constexpr uint32_t kReqNotifySuccess = 3;

// Protocol Buffers: key and value of a field that is a number, or key and length of one that is bytes.
class Packet {
 public:
  void number(uint32_t field, uint64_t value) noexcept {
    varint(uint64_t{field} << 3);
    varint(value);
  }
  void length(uint32_t field, uint64_t size) noexcept {
    varint(uint64_t{field} << 3 | 2);
    varint(size);
  }
  [[nodiscard]] const uint8_t* data() const noexcept { return bytes_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  void varint(uint64_t value) noexcept {
    constexpr uint64_t kMore = 0x80;
    for (; value >= kMore; value >>= 7) {
      add(static_cast<uint8_t>(value | kMore));
    }
    add(static_cast<uint8_t>(value));
  }
  void add(uint8_t byte) noexcept {
    if (size_ < sizeof bytes_) {
      bytes_[size_++] = byte;
    }
  }
  uint8_t bytes_[64] = {};
  size_t size_ = 0;
};

[[nodiscard]] iovec part(const void* data, size_t size) noexcept {
  return {const_cast<void*>(data), size};
}

[[nodiscard]] Failure send_parts(int socket, iovec* parts, size_t count) noexcept {
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return sys::fail("sendmsg", "criu");
    }
  }
  return kOk;
}

// `root` as a mount, seen by CRIU alone: criu(8) --root wants one.
[[nodiscard]] bool mount_root(const char* root) noexcept {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
         ::mount(root, root, nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

struct Child {
  const char* path;
  const wire::StrList& environment;
  const char* root;
  const int* inherit;
  size_t inherited;
  int socket;
  int error;
};

// Descriptors above all that are put into place, so that none is overwritten before it is moved.
constexpr int kSpare = 256;

[[nodiscard]] bool place_descriptors(const Child& child) noexcept {
  if (::close_range(kSocket, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
    return false;
  }
  const int socket = ::fcntl(child.socket, F_DUPFD_CLOEXEC, kSpare);
  bool ok = socket >= 0;
  int moved[8] = {};
  for (size_t i = 0; ok && i < child.inherited; ++i) {
    moved[i] = ::fcntl(child.inherit[i], F_DUPFD_CLOEXEC, kSpare);
    ok = moved[i] >= 0;
  }
  ok = ok && ::dup2(socket, kSocket) >= 0;
  for (size_t i = 0; ok && i < child.inherited; ++i) {
    ok = ::dup2(moved[i], kSocket + 1 + static_cast<int>(i)) >= 0;
  }
  return ok;
}

[[noreturn]] void become_criu(const Child& child) noexcept {
  // A signal from the terminal must not end it halfway: it holds the container's processes by ptrace(2).
  (void)::setsid();
  sys::reset_signals();
  const int error = ::fcntl(child.error, F_DUPFD_CLOEXEC, kSpare);
  if (error >= 0 && (child.root == nullptr || mount_root(child.root)) && place_descriptors(child)) {
    const char* const arguments[] = {child.path, "swrk", "3", nullptr};
    (void)::execve(child.path, const_cast<char* const*>(arguments),
                   const_cast<char* const*>(child.environment.items));
  }
  const int code = errno;
  [[maybe_unused]] const ssize_t told = ::write(error, &code, sizeof code);
  ::_exit(127);
}

}  // namespace

Failure Criu::start(const char* path, const wire::StrList& environment, const char* root, const int* inherit,
                    size_t inherited) noexcept {
  path_ = path;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
    return sys::fail("socketpair");
  }
  socket_.reset(ends[0]);
  const sys::UniqueFd theirs(ends[1]);
  if (::pipe2(ends, O_CLOEXEC) < 0) {
    return sys::fail("pipe2");
  }
  const sys::UniqueFd reader(ends[0]);
  sys::UniqueFd writer(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return sys::fail("fork");
  }
  if (pid == 0) {
    become_criu({path, environment, root, inherit, inherited, theirs.get(), writer.get()});
  }
  pid_ = pid;
  pidfd_.reset(sys::pidfd_open_raw(pid, 0));
  if (!pidfd_.valid()) {
    return sys::fail("pidfd_open", path);
  }
  writer.reset();
  int code = 0;
  if (::read(reader.get(), &code, sizeof code) == static_cast<ssize_t>(sizeof code)) {
    return sys::fail(code, "start", path, nullptr);
  }
  return kOk;
}

Failure Criu::send(uint32_t type, const wire::Bytes& options, const CriuPlace& place) noexcept {
  place_ = place;
  Packet directories;
  directories.number(kImagesDirFd, static_cast<uint64_t>(place.images));
  directories.number(kWorkDirFd, static_cast<uint64_t>(place.work));
  Packet head;
  head.number(kReqType, type);
  head.length(kReqOpts, options.size + directories.size());
  iovec parts[] = {part(head.data(), head.size()), part(options.data, options.size),
                   part(directories.data(), directories.size())};
  return send_parts(socket_.get(), parts, 3);
}

Failure Criu::answer(bool success) noexcept {
  Packet packet;
  packet.number(kReqType, static_cast<uint64_t>(CriuRequest::kNotify));
  packet.number(kReqNotifySuccess, success ? 1 : 0);
  iovec parts[] = {part(packet.data(), packet.size())};
  return send_parts(socket_.get(), parts, 1);
}

// The end of CRIU closes the socket, so that this wait ends with it. One that stands still is given up: what
// it does shows in its log.
Failure Criu::await_message(int restored) noexcept {
  off_t size = -1;
  for (;;) {
    pollfd waited[] = {{socket_.get(), POLLIN, 0}, {restored, POLLIN, 0}};
    const int ready = ::poll(waited, 2, place_.waits ? -1 : kStillMilliseconds);
    if (ready > 0) {
      // What CRIU has to say of it comes first.
      return waited[0].revents != 0 ? kOk
                                    : sys::fail(ECHILD, "criu", nullptr, "the restored process was killed");
    }
    if (ready < 0 && errno != EINTR) {
      return sys::fail("poll");
    }
    struct stat log {};
    const bool grows =
        ::fstatat(place_.work, place_.log, &log, AT_SYMLINK_NOFOLLOW) == 0 && log.st_size != size;
    if (ready == 0 && !grows) {
      return sys::fail(ETIMEDOUT, "await the answer of", path_,
                       "it has written nothing to its log for 120 s");
    }
    size = log.st_size;
  }
}

Failure Criu::receive(CriuResponse& out, UniqueFd* fd, int restored) noexcept {
  TSRUNC_TRY(await_message(restored));
  uint8_t bytes[16384];
  iovec part{bytes, sizeof bytes};
  sys::DescriptorMessage message(&part, 1);
  message.make_room();
  ssize_t got = 0;
  while ((got = ::recvmsg(socket_.get(), message.get(), MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (got < 0) {
    return sys::fail("await the answer of", path_);
  }
  if (got == 0) {
    return sys::fail(EPIPE, "await the answer of", path_, "it ended without an answer");
  }
  UniqueFd received = message.take();
  if (fd != nullptr) {
    *fd = std::move(received);
  }
  out = {};
  return decode_response(bytes, static_cast<size_t>(got), out)
             ? kOk
             : sys::fail(EBADMSG, "read the answer of", path_, nullptr);
}

void Criu::finish() noexcept {
  socket_.reset();
  if (pid_ <= 0) {
    return;
  }
  if (!wait_for_exit(pidfd_, kEndMilliseconds)) {
    (void)sys::pidfd_send_signal_raw(pidfd_.get(), SIGKILL);
  }
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  pidfd_.reset();
}

}  // namespace tsrunc::engine
