// The command lines that need no JavaScript, in exactly the forms that callers use. Everything else, also
// what is wrong, is node's: it prints help and usage errors.
#pragma once

#include <cstdint>

#include "launcher/log.h"

namespace tsrunc::launcher {

enum class Verb : uint8_t {
  kStart,
  kState,
  kKill,
  kDelete,
  kPause,
  kResume,
  kPs,
  kEvents,
  kList,
  kGc,
  kAttach,
  kWait,
  kResize,
  kLogs,
  kVersion
};
[[nodiscard]] const char* verb_name(Verb verb) noexcept;

struct Arguments {
  const char* root = nullptr;  // nullptr: the default
  LogOptions log;
  const char* trace = nullptr;    // file
  int64_t interval_ms = 5000;     // of events
  const char* exec_id = nullptr;  // of attach, logs, resize and wait; nullptr: the first process
  int64_t tail = -1;              // of logs, lines; -1: all
  const char* positionals[3] = {};
  const char* const* rest = nullptr;  // behind the ID: options of the host's ps
  int count = 0;
  int rest_count = 0;
  Verb verb{};
  bool all = false;
  bool force = false;
  bool regex = false;
  bool quiet = false;
  bool dry_run = false;  // of gc
  bool json = false;     // --format json of list, ps and wait
  bool stats = false;    // of events
  bool version = false;
  bool follow = false;      // of logs
  bool timestamps = false;  // of logs
  bool no_stdin = false;    // of attach
};

// False: this call is for node.
[[nodiscard]] bool parse_arguments(int argc, const char* const* argv, Arguments& out) noexcept;

}  // namespace tsrunc::launcher
