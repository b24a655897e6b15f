#include "shim/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <cstring>

#include "launcher/describe.h"
#include "shim/bootstrap.h"
#include "shim/connection.h"
#include "shim/resident.h"
#include "sys/array.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/text.h"

namespace tsrunc::shim {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int64_t kIdleMilliseconds = 300000;
// A resident process that lives shorter than this failed to start.
constexpr int64_t kYoungMilliseconds = 5000;
constexpr int64_t kMostPause = 5000;
constexpr int kMostFailures = 4;
// Of what one side has not taken yet. containerd's requests wait in their sockets then.
constexpr size_t kMostQueued = size_t{1} * 1024 * 1024;
constexpr size_t kMostAnswers = size_t{16} * 1024 * 1024;
constexpr uint32_t kUnavailable = 14;  // as of gRPC
// Ends of orphans that a resident process which is yet to start may want to know.
constexpr size_t kMostEnds = 4096;
constexpr int kSignalled = 128;

// How a process ended whose monitor was killed: the keeper is its parent then.
struct End {
  uint32_t pid;
  uint32_t status;
  timespec at;
};

class Keeper {
 public:
  Keeper(Place place, sys::UniqueFd listener, sys::UniqueFd signals) noexcept
      : place_(std::move(place)), listener_(std::move(listener)), signals_(std::move(signals)) {}

  [[nodiscard]] Failure run();

 private:
  [[nodiscard]] Failure wait();
  void accept_one();
  void read_requests(Connection& connection);
  void read_answers();
  void answer(Connection* connection, const char* frame, size_t size);
  void end_closed();
  void reap();
  void note(const siginfo_t& info);
  void tell(const End& end);
  void start_resident();
  void refuse_all(const char* why);
  [[nodiscard]] int timeout() const noexcept;
  [[nodiscard]] bool is_idle() const noexcept { return connections_ == nullptr && containers_ == 0; }
  [[nodiscard]] bool may_end();
  [[nodiscard]] Connection* find(uint32_t number) const noexcept;

  Place place_;
  sys::UniqueFd listener_;
  sys::UniqueFd signals_;  // signalfd of SIGCHLD
  Resident resident_;
  Connection* connections_ = nullptr;
  uint32_t last_number_ = 0;
  uint32_t containers_ = 0;
  int failures_ = 0;
  int64_t started_at_ = 0;
  int64_t start_at_ = 0;  // when the next resident process may start
  int64_t idle_since_ = sys::monotonic_ms();
  sys::Array<pollfd> polled_;
  // The oldest one is at next_end_ once there are kMostEnds.
  sys::Array<End> ends_;
  size_t next_end_ = 0;
};

Connection* Keeper::find(uint32_t number) const noexcept {
  Connection* found = connections_;
  while (found != nullptr && found->number != number) {
    found = found->next;
  }
  return found;
}

void Keeper::accept_one() {
  const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  idle_since_ = sys::monotonic_ms();
  if (fd < 0) {
    return;
  }
  Connection* connection = make_connection(++last_number_, fd);
  if (connection == nullptr) {
    (void)::close(fd);
    return;
  }
  connection->next = connections_;
  connections_ = connection;
}

void Keeper::read_requests(Connection& connection) {
  connection.closed = read_into(connection.fd.get(), connection.in) == Moved::kClosed;
  for (;;) {
    size_t size = 0;
    if (!connection.next_frame(size)) {
      connection.closed = true;
      return;
    }
    if (size == 0) {
      return;
    }
    const char* frame = connection.in.data();
    if (frame[8] == kRequestFrame) {
      connection.remember(frame, size);
    }
    if (resident_.running()) {
      resident_.tell(connection.number, 'F', frame, size);
    }
    connection.in.drop(size);
  }
}

void Keeper::answer(Connection* connection, const char* frame, size_t size) {
  if (connection == nullptr || connection->closed) {
    return;
  }
  connection->forget(read_u32(frame + 4));
  connection->out.append(frame, size);
  connection->closed = connection->out.size() > kMostAnswers ||
                       write_from(connection->fd.get(), connection->out) == Moved::kClosed;
}

// Whoever speaks nonsense there is ended like one that has died, by SIGCHLD.
void Keeper::read_answers() {
  ByteQueue& in = resident_.in;
  bool sane = read_into(resident_.fd(), in) != Moved::kClosed;
  while (sane && in.size() >= kMessageHeader + 4) {
    const uint32_t number = read_u32(in.data());
    const char kind = in.data()[4];
    const size_t payload = read_u32(in.data() + kMessageHeader);
    if (kind == 'B') {
      containers_ = static_cast<uint32_t>(payload);
      in.drop(kMessageHeader + 4);
      continue;
    }
    sane = kind == 'F' && payload <= kMostPayload;
    const size_t frame = kFrameHeader + payload;
    if (!sane || in.size() < kMessageHeader + frame) {
      break;
    }
    answer(find(number), in.data() + kMessageHeader, frame);
    in.drop(kMessageHeader + frame);
  }
  if (!sane) {
    (void)::kill(resident_.pid(), SIGKILL);
  }
}

void Keeper::end_closed() {
  for (Connection** link = &connections_; *link != nullptr;) {
    Connection* connection = *link;
    if (!connection->closed) {
      link = &connection->next;
      continue;
    }
    *link = connection->next;
    if (resident_.running()) {
      resident_.tell(connection->number, 'C', nullptr, 0);
    }
    end_connection(connection);
    idle_since_ = sys::monotonic_ms();
  }
}

// The keeper is a sub-reaper: what its descendants leave behind is its to reap, too.
void Keeper::reap() {
  signalfd_siginfo info{};
  (void)!::read(signals_.get(), &info, sizeof info);
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG) != 0 || ended.si_pid == 0) {
      return;
    }
    if (ended.si_pid != resident_.pid()) {
      note(ended);
      continue;
    }
    const int64_t now = sys::monotonic_ms();
    resident_.ended();
    failures_ = now - started_at_ < kYoungMilliseconds ? failures_ + 1 : 0;
    const int64_t pause = failures_ < 2 ? 0 : int64_t{100} << (failures_ < 8 ? failures_ : 8);
    start_at_ = now + (pause < kMostPause ? pause : kMostPause);
    (void)complain("the resident process has ended; another one takes over");
  }
}

void Keeper::note(const siginfo_t& info) {
  const int status = info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
  End end{static_cast<uint32_t>(info.si_pid), static_cast<uint32_t>(status), {}};
  (void)::clock_gettime(CLOCK_REALTIME, &end.at);
  if (ends_.size() < kMostEnds) {
    ends_.push(end);
  } else {
    ends_.data()[next_end_] = end;
    next_end_ = (next_end_ + 1) % kMostEnds;
  }
  if (resident_.running()) {
    tell(end);
  }
}

void Keeper::tell(const End& end) {
  char bytes[12];
  write_u32(bytes, end.status);
  write_u32(bytes + 4, static_cast<uint32_t>(end.at.tv_sec));
  write_u32(bytes + 8, static_cast<uint32_t>(end.at.tv_nsec));
  resident_.tell(end.pid, 'E', bytes, sizeof bytes);
}

void Keeper::refuse_all(const char* why) {
  for (Connection* connection = connections_; connection != nullptr; connection = connection->next) {
    while (connection->requests() != nullptr && !connection->closed) {
      sys::Array<char> frame;
      frame.resize(kFrameHeader);
      add_refusal(frame, kUnavailable, why);
      write_u32(frame.data(), static_cast<uint32_t>(frame.size() - kFrameHeader));
      write_u32(frame.data() + 4, connection->requests()->stream);
      frame[8] = 2;  // a response
      frame[9] = 0;
      answer(connection, frame.data(), frame.size());
    }
  }
}

void Keeper::start_resident() {
  if (failures_ >= kMostFailures) {
    char why[256];
    sys::Text(why).add("the shim's resident process does not start: see ").add(place_.directory).add("/log");
    refuse_all(why);
  }
  started_at_ = sys::monotonic_ms();
  if (const Failure failure = resident_.start(place_.directory); failure) {
    (void)complain(launcher::Sentence("start the resident process", failure).text);
    ++failures_;
    start_at_ = started_at_ + kMostPause;
    return;
  }
  for (size_t i = 0; i < ends_.size(); ++i) {
    tell(ends_[(next_end_ + i) % ends_.size()]);
  }
  for (Connection* connection = connections_; connection != nullptr; connection = connection->next) {
    for (const Request* request = connection->requests(); request != nullptr; request = request->next) {
      resident_.tell(connection->number, 'R', request->frame(), request->size);
    }
  }
}

int Keeper::timeout() const noexcept {
  const int64_t now = sys::monotonic_ms();
  int64_t left = -1;
  if (!resident_.running()) {
    left = start_at_ - now;
  } else if (is_idle()) {
    left = idle_since_ + kIdleMilliseconds - now;
  } else {
    return -1;
  }
  return static_cast<int>(left < 0 ? 0 : left);
}

// Under the lock nobody is told the address of a keeper that ends.
bool Keeper::may_end() {
  if (!is_idle() || sys::monotonic_ms() - idle_since_ < kIdleMilliseconds) {
    return false;
  }
  const auto lock = lock_place(place_, 0);
  pollfd waiting{listener_.get(), POLLIN, 0};
  if (!lock.ok() || ::poll(&waiting, 1, 0) != 0) {
    idle_since_ = sys::monotonic_ms();
    return false;
  }
  (void)::unlink(place_.socket);
  return true;
}

Failure Keeper::wait() {
  constexpr short kIn = POLLIN;
  constexpr short kOut = POLLOUT;
  polled_.clear();
  polled_.push({listener_.get(), kIn, 0});
  polled_.push({signals_.get(), kIn, 0});
  polled_.push({resident_.fd(), static_cast<short>(kIn | (resident_.out.size() > 0 ? kOut : 0)), 0});
  const bool full = resident_.out.size() > kMostQueued;
  for (const Connection* connection = connections_; connection != nullptr; connection = connection->next) {
    const short events = static_cast<short>((full ? 0 : kIn) | (connection->out.size() > 0 ? kOut : 0));
    polled_.push({connection->fd.get(), events, 0});
  }
  return ::poll(polled_.data(), polled_.size(), timeout()) < 0 && errno != EINTR ? sys::fail("poll") : kOk;
}

Failure Keeper::run() {
  for (;;) {
    if (!resident_.running() && sys::monotonic_ms() >= start_at_) {
      start_resident();
    }
    TSRUNC_TRY(wait());
    size_t at = 3;
    for (Connection* connection = connections_; connection != nullptr; connection = connection->next) {
      const short events = polled_[at++].revents;
      if ((events & POLLOUT) != 0 && write_from(connection->fd.get(), connection->out) == Moved::kClosed) {
        connection->closed = true;
      }
      if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        read_requests(*connection);
      }
    }
    if (resident_.running() && (polled_[2].revents & (POLLIN | POLLHUP)) != 0) {
      read_answers();
    }
    if (polled_[1].revents != 0) {
      reap();
    }
    if (polled_[0].revents != 0) {
      accept_one();
    }
    end_closed();
    if (resident_.running()) {
      (void)write_from(resident_.fd(), resident_.out);
    }
    if (may_end()) {
      return kOk;
    }
  }
}

[[nodiscard]] sys::Result<sys::UniqueFd> watch_children() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  sys::UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid() || ::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) {
    return sys::fail("signalfd", "the keeper's children");
  }
  return fd;
}

[[nodiscard]] Failure keep(const Flags& flags) {
  const char* word = ::getenv(kListenerVariable);
  sys::UniqueFd listener(word == nullptr ? -1 : static_cast<int>(std::strtol(word, nullptr, 10)));
  if (flags.name_space == nullptr || flags.address == nullptr || !listener.valid() ||
      ::fcntl(listener.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return sys::fail(EINVAL, "read", "the command line", "a keeper is started by `start` alone");
  }
  (void)::unsetenv(kListenerVariable);
  Place place;
  TSRUNC_TRY(open_place(flags.name_space, flags.address, place));
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0) {
    return sys::fail("prctl", "the keeper");
  }
  auto children = watch_children();
  if (!children.ok()) {
    return children.failure();
  }
  return Keeper(std::move(place), std::move(listener), std::move(*children)).run();
}

}  // namespace

int run_keeper(const Flags& flags) {
  const Failure failure = keep(flags);
  return failure ? complain(launcher::Sentence("keep containerd's connections", failure).text) : 0;
}

}  // namespace tsrunc::shim
