// What the host side's operations share while one list of a plan is run.
#pragma once

#include <array>

#include "engine/failure_record.h"
#include "engine/host/cgroup_undo.h"
#include "engine/host/criu.h"
#include "engine/journal.h"
#include "engine/state_dir.h"
#include "sys/array.h"
#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/plan.h"

namespace tsrunc::engine {

inline constexpr uint32_t kMaxSlots = 512;

// Where warnings and debug lines go; nothing below the launcher writes to a log itself.
struct Log {
  virtual void warn(const char* text) = 0;
  virtual void debug(const char* text) = 0;

 protected:
  ~Log() = default;
};

// A container that is started as soon as it is made.
struct AtOnce {
  // Called when the last that could fail is done, before its program can begin. False: it is not to begin.
  [[nodiscard]] virtual bool begin() = 0;

 protected:
  ~AtOnce() = default;
};

// The file of a cgroup that writeCgroupFile has written last, open still: of a list of devices each line is
// an operation, on one file. run_list() closes it before any other operation.
struct WrittenFile {
  sys::Array<char> path;  // with its NUL
  sys::UniqueFd fd;
};

// exec: the container that exists, which one more process is to be in.
struct Target {
  sys::UniqueFd pidfd;  // of its first process; not valid for create and run
  ProcessId init;
  Status status = Status::kStopped;
  bool waits_while_frozen = false;
  bool awaits_member = false;  // the new process has yet to say by which one it goes on (becomeMember)
  sys::UniqueFd go;            // one byte lets the new process execute its program
  sys::UniqueFd result;        // what became of that, as exec.result of start
};

struct HostContext {
  HostContext(const wire::Plan& the_plan, StateDir& the_state, Log& the_log)
      : plan(the_plan), state(the_state), log(the_log) {}

  const wire::Plan& plan;
  StateDir& state;
  Log& log;
  ProcessId init;  // pid 0: there is none
  sys::UniqueFd init_pidfd;
  sys::UniqueFd sync;                          // seqpacket socket to init
  sys::UniqueFd net_namespace;                 // init's, while its network devices may have to come back
  sys::UniqueFd console;                       // master of the container's pty, once init has sent it
  sys::UniqueFd seccomp_listener;              // of the container's filter, until it is sent on
  const char* agent = nullptr;                 // the socket of the agent, once it has the listener
  std::array<sys::UniqueFd, kMaxSlots> slots;  // openTree, until init has them
  sys::UniqueFd init_root;                     // O_PATH of init's root directory, once openSource has run
  sys::UniqueFd id_map;                        // user namespace of the last openIdMap
  WrittenFile written;
  Journal journal;  // as destroy() has read it, if it has: nobody writes to it any more
  bool journal_read = false;
  CgroupUndo cgroup_undo;                              // what an update has replaced
  const wire::SetUnitProperties* told_unit = nullptr;  // and what it has told systemd
  Target target;
  // run: not nullptr where nothing else is to be done between create and start, so that init need not wait to
  // be told to go on.
  AtOnce* at_once = nullptr;
  sys::UniqueFd start_result;  // exec.result, once init was told so
  Restoring restoring;
  FailureRecord init_failure;  // what init reported, if it did
  bool init_failed = false;
  bool foreign_cgroup =
      false;             // the unit of systemd, and so the cgroup, is somebody else's by now: checkUnit
  bool creates = false;  // a container: its state may be drafted
  const wire::StrList* removed = nullptr;  // cgroups that killCgroups has removed
  bool ungrouped = false;       // create has not come to the cgroups yet: who is in one is a stranger
  bool unkilled = false;        // destroy could not end what is in the cgroups, which stay busy then
  bool refuses_damage = false;  // destroy: a damaged journal ends it, before anything is done
  char detail[1024] = {};       // room for a Failure's detail that has to be composed
  char suffix[48] = {};         // FailureRecord::suffix of the operation that runs
};

// ECHILD: init ended without a word, something killed it. Leaves it to be reaped by destroy().
[[nodiscard]] sys::Failure describe_death(HostContext& context);

// One overload for each operation of TSRUNC_HOST_OPS; defined in engine/host/*.cc by subject.
#define TSRUNC_DECLARE(name) [[nodiscard]] sys::Failure run(HostContext& context, const wire::name& op);
TSRUNC_HOST_OPS(TSRUNC_DECLARE)
#undef TSRUNC_DECLARE

}  // namespace tsrunc::engine
