// What init's operations share. Init is a copy of the host side made by clone3: everything here was made
// before, and nothing after it allocates, locks or uses stdio.
#pragma once

#include <sys/types.h>

#include <array>

#include "engine/host_context.h"
#include "sys/kernel.h"
#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::engine {

struct Courier;

// The directory in which something was made last, so that what is made next to it costs one call: what
// root_path.h opens it looks for here first. Only as long as nothing can have come to lie over it.
struct KeptDirectory {
  sys::UniqueFd fd;
  const char* path = nullptr;  // the first `length` bytes of it are the directory's path in the container
  size_t length = 0;
  const char* existing = nullptr;  // a path that was found to exist since, or nullptr

  void drop() noexcept {
    fd.reset();
    existing = nullptr;
  }
};

struct InitContext {
  InitContext(const wire::Plan& the_plan, std::array<sys::UniqueFd, kMaxSlots>& the_slots)
      : plan(the_plan), slots(the_slots) {}

  const wire::Plan& plan;
  std::array<sys::UniqueFd, kMaxSlots>& slots;
  std::array<bool, kMaxSlots> is_source{};  // the slot has an O_PATH descriptor of a source, not a tree
  sys::UniqueFd sync;  // to the host side; a courier has taken it over where it is not valid
  sys::UniqueFd root;  // O_PATH of the container's root
  KeptDirectory kept;
  sys::UniqueFd console;    // master of the pty until reportToHost takes it
  sys::UniqueFd empty_dir;  // the read-only tmpfs that masks directories
  bool empty_attached = false;
  sys::UniqueFd null_mask;  // the /dev/null that masks files
  bool null_attached = false;
  sys::UniqueFd exec_fifo;            // O_RDWR: its being open is what "created" means
  sys::UniqueFd exec_result;          // O_WRONLY
  int container = -1;                 // exec: pidfd of the container's first process
  pid_t container_pid = 0;            // and its pid
  Courier* courier = nullptr;         // speaks for init until it is ready, see courier.h
  bool own_console = false;           // 0, 1, 2 are the pty that openConsole made
  bool in_directory = false;          // changeDirectory has succeeded
  bool no_new_privs = false;          // setNoNewPrivileges has run
  const char* confinement = nullptr;  // the security module that will label the program, or nullptr
  mode_t callers_umask = 0;
  // That are to be the default. Looked at by the host side: what init enters before it begins may have a
  // /proc of somebody else's.
  uint64_t signals = sys::changed_signals();
  char home[512] = {};               // "HOME=…", once findHome has run
  const char* const* env = nullptr;  // the program's environment with it, or nullptr
  char detail[1024] = {};            // room for a Failure's detail that has to be composed
  char suffix[48] = {};              // FailureRecord::suffix of the operation that runs
  const char* pointer = nullptr;     // FailureRecord::pointer of it, or nullptr
  char path[4096];                   // room for a Failure's path that has to be composed
};

// One overload for each operation of TSRUNC_INIT_OPS; defined in engine/init/*.cc by subject.
#define TSRUNC_DECLARE(name) \
  [[nodiscard]] sys::Failure run(InitContext& context, const wire::name& op) noexcept;
TSRUNC_INIT_OPS(TSRUNC_DECLARE)
#undef TSRUNC_DECLARE

// Tells the user something that is not a failure, while the sync socket is open.
void warn(InitContext& context, const char* text) noexcept;

// Runs the lists init and initStart. Does not return.
[[noreturn]] void init_main(InitContext& context) noexcept;

}  // namespace tsrunc::engine
