// Copies between the caller's standard streams and the container's terminal, by poll(2). The caller's
// descriptors keep their flags, which other processes share; only the master is non-blocking.
#pragma once

#include <poll.h>

#include <cstddef>

#include "sys/array.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class Relay {
 public:
  // Takes the master; an invalid one makes a relay that does nothing.
  explicit Relay(sys::UniqueFd master) noexcept;

  static constexpr size_t kFds = 3;
  // What to wait for now; fd -1 where nothing is.
  void want(pollfd (&out)[kFds]) const noexcept;
  // Copies what poll found ready. True if anything moved.
  bool move(const pollfd (&ready)[kFds]) noexcept;

  // False once the terminal has no more to give and all of it is written.
  [[nodiscard]] bool open() const noexcept { return master_.valid() || pending(); }
  // Output waits for the caller to take it.
  [[nodiscard]] bool pending() const noexcept { return output_.left() > 0; }
  // The container has ended: no more input, and the terminal may come to its end.
  void finish() noexcept;
  [[nodiscard]] int master() const noexcept { return master_.get(); }

 private:
  static constexpr size_t kBufferSize = 4096;
  struct Buffer {
    char* data = nullptr;
    size_t start = 0;
    size_t end = 0;
    [[nodiscard]] size_t left() const noexcept { return end - start; }
  };

  void read_input() noexcept;
  void write_input() noexcept;
  void read_output() noexcept;
  void write_output() noexcept;
  void end_input() noexcept;

  sys::UniqueFd master_;
  // Our own opening of the other end. Without it the terminal would hang up whenever the container has it
  // closed for a moment, as init systems do on their way to /dev/console.
  sys::UniqueFd slave_;
  sys::Array<char> memory_;  // of both buffers; most calls have no terminal
  Buffer input_;
  Buffer output_;
  bool input_open_ = false;
  char last_input_ = '\n';
};

}  // namespace tsrunc::launcher
