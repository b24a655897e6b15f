// What the process that made a container hands to the monitor that it becomes (monitor_start.h): one record,
// read from a pipe, whose descriptor the variable names.
#pragma once

#include <cstdint>

#include "engine/state_dir.h"

namespace tsrunc::launcher {

inline constexpr char kMonitorVariable[] = "_TSRUNC_MONITOR";

// Descriptors; -1: there is none.
struct MonitorStream {
  int32_t source = -1;
  int32_t sink = -1;
};

enum class LogDriver : uint32_t { kNone = 0, kRaw = 1, kLines = 2, kJson = 3 };

struct MonitorLogOrder {
  int32_t fd = -1;
  LogDriver driver = LogDriver::kNone;
  uint32_t files_max = 1;
  uint64_t size_max = 0;  // 0: no limit
  char path[4096] = {};
};

struct MonitorOrder {
  static constexpr uint64_t kMagic = 0x32726f746e6f6d54;

  uint64_t magic = kMagic;
  engine::ProcessId process;  // a child
  int32_t pidfd = -1;
  int32_t directory = -1;  // the monitor's own (engine/monitor_files.h)
  int32_t listener = -1;
  int32_t signals = -1;  // signalfd(2) of all, which are blocked
  MonitorStream input;   // source: of --stdin; sink: pipe to the process, or the terminal's master
  MonitorStream output;  // source: pipe from the process, or the master; sink: of --stdout
  MonitorStream error;
  int32_t slave = -1;  // our own opening of the terminal's other end
  int32_t oom = -1;    // file with the line "oom_kill N"
  uint64_t oom_kills = 0;
  MonitorLogOrder log;
  bool terminal = false;
  bool interactive = false;  // input stays open for those who attach
};

}  // namespace tsrunc::launcher
