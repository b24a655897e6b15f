// The directories of monitors in a container's state directory: monitor/init/, and monitor/exec-NAME/ for
// each process of exec that has one. In each of them
//
//   pid     who the monitor and the process are that it watches, with a checksum
//   socket  where the monitor listens, as long as it is there (launcher/monitor_wire.h)
//   exit    how the process has ended (launcher/exit_record.h)
//
// A monitor is a process of the host's that holds no lock: whoever removes its directory ends it first.
#pragma once

#include "engine/state_dir.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

inline constexpr char kMonitorDir[] = "monitor";

struct MonitorPids {
  ProcessId monitor;
  ProcessId process;
};

// `dir`: one monitor's directory.
[[nodiscard]] sys::Failure write_monitor_pids(int dir, const MonitorPids& pids);
// ENOENT: the monitor was not there yet. EBADMSG: the file is damaged.
[[nodiscard]] sys::Failure read_monitor_pids(int dir, MonitorPids& out);

// Whether the monitor `name` in the directory `monitors` has a process to watch, or is about to.
[[nodiscard]] bool is_monitored(int monitors, const char* name);

// Removes what one monitor has left, `name` in the directory `monitor`; ends it where it still runs.
[[nodiscard]] bool remove_monitor(int monitors, const char* name);
// The same for all of a container. True: there are none any more.
[[nodiscard]] bool remove_monitors(int state);

}  // namespace tsrunc::engine
