// The caller's side of the planner's socket.
#pragma once

#include <string_view>
#include <utility>

#include "launcher/planner_wire.h"
#include "sys/array.h"
#include "sys/clock.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// A reply, whole and of a known form.
struct PlannerReply {
  ReplyKind kind = ReplyKind::kCold;
  sys::Array<char> bytes;  // the parts, one behind the other
  size_t starts[kParts + 1] = {};

  [[nodiscard]] const char* part(Part which) const noexcept {
    return bytes.data() + starts[static_cast<size_t>(which)];
  }
  [[nodiscard]] size_t size(Part which) const noexcept {
    return starts[static_cast<size_t>(which) + 1] - starts[static_cast<size_t>(which)];
  }
};

// One that is there as a whole, with its header. False: it is of no known form.
[[nodiscard]] bool read_reply(std::string_view bytes, PlannerReply& out) noexcept;

class PlannerClient {
 public:
  explicit PlannerClient(int64_t milliseconds) noexcept : deadline_(milliseconds) {}
  // One that another program of this process has connected.
  PlannerClient(sys::UniqueFd socket, int64_t milliseconds, bool greeted) noexcept
      : deadline_(milliseconds), socket_(std::move(socket)), greeted_(greeted) {}

  // `root`: directory of all containers' state. It, the socket and who listens there must be this user's.
  [[nodiscard]] sys::Failure connect(const char* root);
  [[nodiscard]] sys::Failure send(const void* data, size_t size);
  // What the planner says first, with the copy that it offers (sealed.h) or without. ETIMEDOUT: it is busy,
  // and the greeting is still to come.
  [[nodiscard]] sys::Failure receive_greeting(int milliseconds, sys::UniqueFd& offered);
  [[nodiscard]] sys::Failure receive(PlannerReply& out);
  void close() noexcept { socket_.reset(); }
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] int left() const noexcept { return deadline_.left(); }
  [[nodiscard]] bool greeted() const noexcept { return greeted_; }

 private:
  [[nodiscard]] sys::Failure wait(short events);
  [[nodiscard]] sys::Failure receive_exactly(void* data, size_t size);

  sys::Deadline deadline_;
  sys::UniqueFd socket_;
  bool greeted_ = false;
};

}  // namespace tsrunc::launcher
