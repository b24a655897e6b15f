// The directory ROOT/ID that stands for a container from before its first effect until after its last one is
// undone.
//
//   plan         the plan's bytes as create got them, and their CRC-32C: what start, kill and delete do
//   config.json  the configuration as create read it (runtime.md: later changes of the file have no effect)
//   journal      one line for each thing that was made, written before it is made and with its checksum in
//   front
//                (journal.h): "cgroup PATH", "pidfile PATH" after "pid PID", "mounts PATH[\tNAMESPACE]" after
//                "mounted INODE ID…" (what was there before), "unit NAME" (of systemd), "netdevice …" (see
//                net_device.h), "rdt PATH", "rdtclass PATH", "hooks" (a create-time hook was begun)
//   state        written by rename when init is ready (saved_state.h): pid, start time, time of creation
//   exec.fifo    init holds it open until execve: that it has a reader is what "created" means
//   exec.result  by which start learns what became of execve
//   monitor      directory of the monitors' directories (monitor_files.h), where there are any
//   notify       directory of the socket by which the program says that it is ready, where NOTIFY_SOCKET was
//   set
//
// The directory's own fd carries the lock (flock).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "sys/array.h"
#include "sys/result.h"
#include "sys/text.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// A process that cannot be mistaken for a later one of the same pid: proc_pid_stat(5) field 22, clock ticks.
struct ProcessId {
  pid_t pid = 0;
  uint64_t start_time = 0;
};

inline constexpr char kNoPlan[] =
    "there is no plan: create was interrupted before it saved it, or delete after it removed it";

struct SavedState {
  ProcessId init;
  char created[40] = {};  // RFC 3339 with nanoseconds, UTC
  ProcessId owner;        // the run in the foreground that deletes the container at its end; pid 0: nobody
  uint64_t journal_size = 0;  // how long the journal was by then; draft_state looks itself
};

class StateDir {
 public:
  // Makes ROOT (0700, with parents) and ROOT/ID (0700), locks it, writes plan, config.json, journal and the
  // two fifos. EEXIST: the ID is in use. `path` (plan.header.state_dir) must outlive the object.
  [[nodiscard]] sys::Failure make(const wire::Plan& plan);
  // Opens an existing one. ENOENT: no such container.
  [[nodiscard]] sys::Failure open(const char* path);

  // engine/state_lock.h.
  [[nodiscard]] sys::Failure lock(int milliseconds);
  // Goes on with a lock that this call of tsrunc has had since before it was planned. ENOENT: it is of
  // another directory, the container was deleted and made anew.
  [[nodiscard]] sys::Failure adopt_lock(sys::UniqueFd locked);

  // Maps the saved plan and decodes it; valid as long as this object is. ENODATA: create did not come that
  // far.
  [[nodiscard]] sys::Failure load_plan(wire::Plan& out);
  // ENODATA: not created yet. EBADMSG: damaged; `out` then is what its whole copy says, or as it was.
  [[nodiscard]] sys::Failure load_state(SavedState& out) const;
  // Writes the state beside its place.
  [[nodiscard]] sys::Failure draft_state(const SavedState& state);
  // Whether such a draft is of this init and of the journal as it is.
  [[nodiscard]] bool has_draft(const ProcessId& init) const;
  // Makes it the state.
  [[nodiscard]] sys::Failure publish_draft() const;

  // How long the journal is at least, by the state that was loaded.
  [[nodiscard]] uint64_t journal_size() const noexcept { return journal_size_; }

  // Appends one line in one write(2).
  [[nodiscard]] sys::Failure journal(const char* kind, const char* path) const;

  // O_CLOEXEC descriptor of one of the files, for init.
  [[nodiscard]] sys::Result<sys::UniqueFd> open_file(const char* name, int flags) const;

  // Removes the files and the directory. The last thing that delete does.
  [[nodiscard]] sys::Failure remove();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const char* path() const noexcept { return path_; }

  StateDir() = default;
  ~StateDir();
  StateDir(const StateDir&) = delete;
  StateDir& operator=(const StateDir&) = delete;

 private:
  [[nodiscard]] sys::Failure make_locked(int root, const char* id);
  // "the saved FILE … is damaged: BEFORE NUMBER BEHIND"
  struct Damaged {
    const char* before;
    size_t number;
    const char* behind;
  };
  [[nodiscard]] sys::Failure damaged(int code, const char* file, const Damaged& how) const noexcept;
  // One of the files, for a message: good until the next one is named.
  [[nodiscard]] const char* named(const char* file) const noexcept;
  // The failure, if it is one, with the file for its path.
  [[nodiscard]] sys::Failure of_file(sys::Failure failure, const char* file) const noexcept;
  [[nodiscard]] sys::Failure append_to_journal(const sys::Text& line) const;
  [[nodiscard]] sys::Failure journal_long(const char* kind, const char* path) const;
  [[nodiscard]] sys::Failure check_plan(const uint8_t* data, size_t size, wire::Arena& arena,
                                        wire::Plan& out) const noexcept;

  const char* path_ = nullptr;
  sys::UniqueFd fd_;
  mutable sys::UniqueFd journal_;      // once it was made or a line was written: each hierarchy has a line
  mutable uint64_t journal_size_ = 0;  // as the last state that was read says
  // Of a failure. Most calls have none, and a page of the stack is a page fault.
  mutable sys::Array<char> damage_;  // its words
  mutable sys::Array<char> named_;   // its path
  ProcessId drafted_init_;           // pid 0: nothing was drafted
  uint64_t drafted_size_ = 0;        // of the journal
  void* mapped_ = nullptr;           // plan's bytes, then the arena
  size_t mapped_size_ = 0;
};

enum class Status : uint8_t { kCreating, kCreated, kRunning, kPaused, kStopped };
[[nodiscard]] const char* status_name(Status status) noexcept;

// Derived from the kernel each time, never stored: is init alive (pid and start time, not a zombie), has
// exec.fifo a reader, is the cgroup frozen. `plan` may be nullptr (then paused is never seen).
// EBADMSG: the saved state is damaged; where a copy of it is whole, `state` and `out` are right all the same.
[[nodiscard]] sys::Failure derive_status(const StateDir& dir, const wire::Plan* plan, SavedState& state,
                                         Status& out);

// Whether the container's cgroup, or one above it, is frozen. Without a plan never.
[[nodiscard]] sys::Result<bool> is_frozen(const wire::Plan* plan) noexcept;

// Field 22 and the state letter of /proc/PID/stat; ESRCH if there is no such process.
[[nodiscard]] sys::Result<uint64_t> start_time(pid_t pid, char* letter = nullptr);

}  // namespace tsrunc::engine
