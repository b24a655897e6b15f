// The executable under the name containerd-shim-tsrunc-v2: containerd's shim (docs/SHIM.md).
//   start     finds the keeper of containerd's namespace or starts it, and writes its address
//   keeper    what start leaves behind: holds containerd's connections and the resident process (keeper.h)
//   mount, unmount, fifo   what the resident process cannot call itself (mounts.h)
//   mounted   a call of tsrunc, once the root file system is mounted (mounts.h)
//   delete, -info    node
#pragma once

namespace tsrunc::shim {

inline constexpr char kName[] = "containerd-shim-tsrunc-v2";

// Whether the process was started by the shim's name.
[[nodiscard]] bool is_shim(const char* name) noexcept;

// Everything of a shim; the exit code.
[[nodiscard]] int run_shim(int argc, char** argv);

// What containerd gives on every command line.
struct Flags {
  const char* name_space = nullptr;
  const char* address = nullptr;
  const char* id = nullptr;
  const char* verb = nullptr;
  bool version = false;
  bool info = false;
};

// flag of Go: -name VALUE, --name VALUE, -name=VALUE. Unknown ones are of a later containerd: they are passed
// over.
void read_flags(int argc, char** argv, Flags& out) noexcept;

[[nodiscard]] int run_start(Flags flags);
[[nodiscard]] int run_keeper(const Flags& flags);

// Whether the resident process has noted a container that it has not deleted. containerd calls `delete` after
// every container, and for nearly all of them there is nothing left to do.
[[nodiscard]] bool is_noted(const Flags& flags);

// Says on stderr, which containerd shows to its user and a keeper's log keeps, what failed.
int complain(const char* text);

}  // namespace tsrunc::shim
