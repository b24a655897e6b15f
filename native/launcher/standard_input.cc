#include "launcher/standard_input.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "launcher/sealed.h"
#include "sys/small_file.h"

namespace tsrunc::launcher {
namespace {

constexpr size_t kChunk = size_t{64} << 10;

// Whether read(2) can be tried again.
[[nodiscard]] bool wait_for_more() noexcept {
  if (errno == EINTR) {
    return true;
  }
  pollfd ready{STDIN_FILENO, POLLIN, 0};
  return errno == EAGAIN && (::poll(&ready, 1, -1) >= 0 || errno == EINTR);
}

[[nodiscard]] bool read_to_end(sys::Array<char>& out) {
  for (;;) {
    const size_t before = out.size();
    out.resize(before + kChunk);
    const ssize_t got = ::read(STDIN_FILENO, out.data() + before, kChunk);
    out.resize(before + static_cast<size_t>(got > 0 ? got : 0));
    if (got == 0) {
      return true;
    }
    if (got < 0 && !wait_for_more()) {
      return false;
    }
  }
}

}  // namespace

bool take_input(sys::Array<char>& out) {
  // First: behind it nothing may fail.
  const auto kept = data_memfd("tsrunc-stdin");
  if (!kept.ok()) {
    return false;
  }
  const size_t before = out.size();
  // JSON whose end is missing is none: node says so where an error has cut it.
  return read_to_end(out) &&
         !sys::write_all(kept->get(), out.data() + before, out.size() - before, nullptr) &&
         ::lseek(kept->get(), 0, SEEK_SET) == 0 && ::dup2(kept->get(), STDIN_FILENO) == STDIN_FILENO;
}

}  // namespace tsrunc::launcher
