#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "launcher/describe.h"
#include "shim/bootstrap.h"
#include "shim/keeper.h"
#include "shim/place.h"
#include "shim/shim.h"
#include "sys/array.h"
#include "sys/clock.h"
#include "sys/kernel.h"
#include "sys/small_file.h"
#include "sys/text.h"

namespace tsrunc::shim {
namespace {

using sys::Failure;
using sys::kOk;

constexpr int kLockMilliseconds = 30000;
constexpr int kInputMilliseconds = 10000;
constexpr size_t kMostInput = size_t{4} * 1024 * 1024;
constexpr unsigned kTaskVersion = 3;  // containerd.task.v3.Task, and v2 beside it

// In which of its ways containerd wants the answer.
enum class Answer { kAddress, kJson, kMessage };

// What containerd writes: runtime options until 2.2, BootstrapParams since 2.3, or nothing.
[[nodiscard]] Failure read_input(sys::Array<char>& out) {
  sys::Deadline deadline(kInputMilliseconds);
  while (out.size() < kMostInput && !::isatty(STDIN_FILENO)) {
    pollfd ready{STDIN_FILENO, POLLIN, 0};
    if (::poll(&ready, 1, deadline.left()) == 0) {
      return sys::fail(ETIMEDOUT, "read", "the standard input",
                       "timed out: containerd has not ended what it writes to the shim");
    }
    char chunk[4096];
    const ssize_t count = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return sys::fail("read", "the standard input");
    }
    if (count == 0) {
      return kOk;
    }
    out.append(chunk, count < 0 ? 0 : static_cast<size_t>(count));
  }
  return kOk;
}

[[nodiscard]] bool is(const Slice& slice, const char* text) noexcept {
  return text != nullptr && std::strlen(text) == slice.size && std::memcmp(text, slice.data, slice.size) == 0;
}

// The message has addresses with their scheme, flags have none: one containerd has one keeper.
[[nodiscard]] Slice without_scheme(const Slice& address) noexcept {
  constexpr char kScheme[] = "unix://";
  constexpr size_t kLength = sizeof kScheme - 1;
  const bool has_one = address.size > kLength && std::memcmp(address.data, kScheme, kLength) == 0;
  return has_one ? Slice{address.data + kLength, address.size - kLength} : address;
}

// What the message says, as text.
struct Words {
  char id[256];
  char name_space[256];
  char address[256];
  char ttrpc_address[256];
};

// False: it is too long to be one.
template <size_t N>
[[nodiscard]] bool copy(const Slice& slice, char (&out)[N]) noexcept {
  sys::Text text(out);
  text.add(slice.data == nullptr ? "" : slice.data, slice.size);
  return !text.cut();
}

// An older containerd's options can look like the message; one that names this very container does not by
// chance.
[[nodiscard]] Failure take_message(const sys::Array<char>& input, Words& words, Flags& flags,
                                   Answer& answer) {
  BootstrapParams params;
  const bool readable = !input.empty() && read_bootstrap(input.data(), input.size(), params);
  const bool ours = readable && params.instance.size > 0 && params.name_space.size > 0 &&
                    (flags.id == nullptr || is(params.instance, flags.id)) &&
                    (flags.name_space == nullptr || is(params.name_space, flags.name_space));
  if (!ours) {
    const char* version = ::getenv("MAX_SHIM_VERSION");
    const bool json = version != nullptr && std::strtol(version, nullptr, 10) >= kTaskVersion;
    answer = json ? Answer::kJson : Answer::kAddress;
    return kOk;
  }
  answer = Answer::kMessage;
  if (!copy(params.instance, words.id) || !copy(params.name_space, words.name_space) ||
      !copy(without_scheme(params.grpc_address), words.address) ||
      !copy(without_scheme(params.ttrpc_address), words.ttrpc_address)) {
    return sys::fail(ENAMETOOLONG, "read", "the standard input", "a name of BootstrapParams is too long");
  }
  flags.id = words.id;
  flags.name_space = words.name_space;
  flags.address = words.address[0] == 0 ? flags.address : words.address;
  if (words.ttrpc_address[0] != 0 && ::setenv("TTRPC_ADDRESS", words.ttrpc_address, 1) != 0) {
    return sys::fail("setenv", "TTRPC_ADDRESS");
  }
  return kOk;
}

[[nodiscard]] Failure find_keeper(const Flags& flags, Place& place) {
  TSRUNC_TRY(open_place(flags.name_space, flags.address, place));
  const auto lock = lock_place(place, kLockMilliseconds);
  if (!lock.ok()) {
    return lock.failure();
  }
  if (is_served(place)) {
    return kOk;
  }
  auto listener = listen_at(place);
  return listener.ok() ? leave_keeper(flags, place, std::move(*listener)) : listener.failure();
}

// containerd 1.6 looks there after its own restart.
[[nodiscard]] Failure keep_address(const char* address) {
  constexpr char kTemporary[] = ".address";
  const sys::UniqueFd file(::open(kTemporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return sys::fail("open", kTemporary);
  }
  TSRUNC_TRY(sys::write_all(file.get(), address, std::strlen(address), kTemporary));
  return ::rename(kTemporary, "address") == 0 ? kOk : sys::fail("rename", "address");
}

[[nodiscard]] Failure print(Answer answer, const char* address) {
  sys::Array<char> out;
  char buffer[256];
  sys::Text text(buffer);
  switch (answer) {
    case Answer::kAddress:
      text.add(address);
      break;
    case Answer::kJson:
      text.add("{\"version\":").add(uint64_t{kTaskVersion}).add(",\"address\":\"").add(address);
      text.add("\",\"protocol\":\"ttrpc\"}");
      break;
    case Answer::kMessage:
      add_bootstrap_result(out, kTaskVersion, address);
      return sys::write_all(STDOUT_FILENO, out.data(), out.size(), "stdout");
  }
  return sys::write_all(STDOUT_FILENO, buffer, text.size(), "stdout");
}

[[nodiscard]] Failure start(Flags flags) {
  sys::Array<char> input;
  TSRUNC_TRY(read_input(input));
  Words words;
  Answer answer = Answer::kAddress;
  TSRUNC_TRY(take_message(input, words, flags, answer));
  if (flags.name_space == nullptr || *flags.name_space == 0) {
    return sys::fail(EINVAL, "read", "the command line", "-namespace is missing");
  }
  flags.address = flags.address == nullptr ? "" : flags.address;
  Place place;
  TSRUNC_TRY(find_keeper(flags, place));
  char address[128];
  sys::Text(address).add("unix://").add(place.socket);
  TSRUNC_TRY(keep_address(address));
  return print(answer, address);
}

}  // namespace

bool is_noted(const Flags& flags) {
  Place place;
  if (flags.name_space == nullptr || flags.id == nullptr ||
      open_place(flags.name_space, flags.address == nullptr ? "" : flags.address, place)) {
    return true;  // node says what is wrong
  }
  char name[320];
  sys::Text text(name);
  text.add("containers/").add(flags.id).add(".json");
  return text.cut() || std::strchr(flags.id, '/') != nullptr ||
         ::faccessat(place.fd.get(), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int run_start(Flags flags) {
  const Failure failure = start(flags);
  return failure ? complain(launcher::Sentence("start the shim", failure).text) : 0;
}

}  // namespace tsrunc::shim
