#include "shim/shim.h"

#include <sys/stat.h>
#include <time.h>

#include <cstring>

#include "launcher/describe.h"
#include "launcher/log.h"
#include "launcher/node.h"
#include "shim/bootstrap.h"
#include "shim/mounts.h"
#include "sys/small_file.h"
#include "sys/text.h"

#ifndef TSRUNC_VERSION
#define TSRUNC_VERSION "unknown"
#endif
#ifndef TSRUNC_COMMIT
#define TSRUNC_COMMIT ""
#endif

namespace tsrunc::shim {
namespace {

constexpr uint32_t kKilled = 137;  // 128 + SIGKILL

// Flags that take no value.
constexpr const char* kSwitches[] = {"debug", "v", "info"};

[[nodiscard]] bool is_switch(const char* name) noexcept {
  for (const char* known : kSwitches) {
    if (std::strcmp(known, name) == 0) {
      return true;
    }
  }
  return false;
}

void keep_flag(const char* name, size_t length, const char* value, Flags& out) noexcept {
  struct Known {
    const char* name;
    const char** value;
  };
  const Known known[] = {{"namespace", &out.name_space}, {"address", &out.address}, {"id", &out.id}};
  for (const Known& flag : known) {
    if (std::strlen(flag.name) == length && std::memcmp(flag.name, name, length) == 0) {
      *flag.value = value;
    }
  }
}

[[nodiscard]] int print_version() {
  constexpr char kText[] =
      "containerd-shim-tsrunc-v2:\n  Version:  " TSRUNC_VERSION "\n  Revision: " TSRUNC_COMMIT "\n";
  return sys::write_all(1, kText, sizeof kText - 1, "stdout") ? 1 : 0;
}

// An empty DeleteResponse but for the status: of what has gone nobody knows more than that.
[[nodiscard]] int print_nothing_left() {
  sys::Array<char> out;
  add_delete_response(out, kKilled, ::time(nullptr));
  return sys::write_all(1, out.data(), out.size(), "stdout") ? 1 : 0;
}

// For the programs that take logs: node cannot make one.
[[nodiscard]] int run_fifo(int count, char** paths) {
  for (int i = 0; i < count; ++i) {
    if (::mkfifo(paths[i], 0600) != 0) {
      return complain(launcher::Sentence("make a fifo", sys::fail("mkfifo", paths[i])).text);
    }
  }
  return 0;
}

}  // namespace

int complain(const char* text) {
  launcher::Logger(kName).error(text);
  return 1;
}

bool is_shim(const char* name) noexcept {
  const char* slash = std::strrchr(name, '/');
  return std::strcmp(slash == nullptr ? name : slash + 1, kName) == 0;
}

void read_flags(int argc, char** argv, Flags& out) noexcept {
  for (int i = 1; i < argc; ++i) {
    const char* name = argv[i];
    if (*name != '-') {
      out.verb = name;
      return;
    }
    name += name[1] == '-' ? 2 : 1;
    if (is_switch(name)) {
      out.version = out.version || std::strcmp(name, "v") == 0;
      out.info = out.info || std::strcmp(name, "info") == 0;
      continue;
    }
    const size_t length = std::strcspn(name, "=");
    if (name[length] == '=') {
      keep_flag(name, length, name + length + 1, out);
    } else if (i + 1 < argc) {
      keep_flag(name, length, argv[++i], out);
    }
  }
}

int run_shim(int argc, char** argv) {
  // containerd's own, where it is a service of systemd's: `tsrunc start` would wait until the container has
  // said to it that it is ready (sd_notify(3)).
  (void)::unsetenv("NOTIFY_SOCKET");
  if (argc > 1 && std::strcmp(argv[1], "mount") == 0) {
    return run_mount(argc - 2, argv + 2);
  }
  if (argc > 1 && std::strcmp(argv[1], "unmount") == 0) {
    return run_unmount(argc - 2, argv + 2);
  }
  if (argc > 1 && std::strcmp(argv[1], "fifo") == 0) {
    return run_fifo(argc - 2, argv + 2);
  }
  Flags flags;
  read_flags(argc, argv, flags);
  if (flags.version) {
    return print_version();
  }
  const char* verb = flags.verb == nullptr ? "" : flags.verb;
  const bool removes = std::strcmp(verb, "delete") == 0;
  if (removes && !is_noted(flags)) {
    return print_nothing_left();
  }
  if (flags.info || removes) {
    return launcher::run_shim_node(argc, argv);
  }
  if (std::strcmp(verb, "start") == 0) {
    return run_start(flags);
  }
  if (std::strcmp(verb, "keeper") == 0) {
    return run_keeper(flags);
  }
  return complain(
      "this is containerd's shim, for containerd to start: one of start, delete, -info, -v (docs/SHIM.md)");
}

}  // namespace tsrunc::shim
