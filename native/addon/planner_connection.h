// One caller of a planner: its greeting, its messages and its replies (launcher/planner_wire.h). Knows
// nothing of node.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sys/unique_fd.h"

namespace tsrunc::addon {

// Bytes of all connections together that wait to be whole.
struct Held {
  size_t bytes = 0;
};

class PlannerConnection {
 public:
  enum class Turn : uint8_t {
    kWaits,  // for more of the caller
    kWhole,  // message() is there, and wants a reply
    kSends,  // until the caller reads
    kOver,   // hung up, or not to be spoken with any longer
  };

  PlannerConnection(sys::UniqueFd socket, pid_t caller, Held& held) noexcept;
  ~PlannerConnection();
  PlannerConnection(const PlannerConnection&) = delete;
  PlannerConnection& operator=(const PlannerConnection&) = delete;
  PlannerConnection(PlannerConnection&&) = delete;
  PlannerConnection& operator=(PlannerConnection&&) = delete;

  // What a caller reads first. `executable`: a copy that it may become (launcher/sealed.h), or -1.
  [[nodiscard]] bool greet(int executable) noexcept;
  // Reads what is there, after the socket was readable.
  [[nodiscard]] Turn read();
  // The message to which read() has said kWhole: a request, or answers, each with its header.
  [[nodiscard]] const char* message() const noexcept { return message_.data(); }
  [[nodiscard]] size_t size() const noexcept { return filled_; }
  // `asks`: the caller answers once more.
  [[nodiscard]] Turn reply(const void* bytes, size_t size, bool asks);
  // Goes on with a reply, after the socket was writable.
  [[nodiscard]] Turn write();

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] pid_t caller() const noexcept { return caller_; }
  [[nodiscard]] bool asked() const noexcept { return asked_; }

 private:
  // Bytes that the message has as far as is known by now; 0: it is none.
  [[nodiscard]] size_t wanted() const noexcept;
  [[nodiscard]] bool grow();
  void forget() noexcept;

  sys::UniqueFd socket_;
  pid_t caller_;
  Held& held_;
  std::vector<char> message_;
  size_t filled_ = 0;
  std::vector<char> reply_;
  size_t sent_ = 0;
  bool asked_ = false;
  bool busy_ = false;
};

}  // namespace tsrunc::addon
