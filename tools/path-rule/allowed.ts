/** Native calls that take a path, or hand on a descriptor, and why they may: nothing that a container could have put there is looked up by name. */

export interface Allowed {
  /** Below native/. */
  readonly files: string
  readonly calls: string
  /** Functions; every one of the file. Code that acts below a root (engine/init) must say which. */
  readonly in?: string
  readonly why: string
}

/** Before a root is entered paths are the host's, behind it they are the container's own: none leads from one to the other. */
const ENTERING: readonly Allowed[] = [
  {
    files: 'engine/init/rootfs.cc',
    calls: 'mount umount2 chdir chroot pivot_root',
    in: 'run',
    why: 'the roots themselves: "/" and "." after fchdir to a descriptor',
  },
  {
    files: 'engine/init/rootfs.cc',
    calls: 'open_host',
    in: 'run containing_mount',
    why: 'root.path of the configuration and "/": above the root, the caller names it',
  },
  {
    files: 'engine/init/rootfs.cc',
    calls: 'openat',
    in: 'containing_mount',
    why: '".." of a directory above the root, for the mount that holds it',
  },
  {
    files: 'engine/init/mount_bind.cc engine/init/devices.cc',
    calls: 'open_tree',
    in: 'source_tree device_tree',
    why: 'the source of a bind mount in the host, which the configuration names; the device is verified on what was opened',
  },
  {
    files: 'engine/init/masks.cc',
    calls: 'open_host',
    in: 'open_null',
    why: "the host's /dev/null, verified by type and number before it is used (CVE-2025-31133)",
  },
  {
    files: 'engine/init/procfs.cc',
    calls: 'open_host',
    in: 'open_in_proc',
    why: "the host's /proc, verified to be the root of a procfs (CVE-2019-16884)",
  },
  {
    files: 'engine/init/enter.cc',
    calls: 'stat',
    in: 'is_own_user_namespace',
    why: "/proc/PID/ns of the host's procfs, before any namespace is entered",
  },
  {
    files: 'engine/init/cgroup.cc',
    calls: 'write_file',
    in: 'run',
    why: 'cgroupfs of the host, before the root is entered',
  },
  {
    files: 'engine/init/copy_up.cc',
    calls: 'fchmodat',
    in: 'copy_owner',
    why: 'in a tmpfs that is attached nowhere yet, on an entry that was just made there and is no link',
  },
  {
    files: 'engine/init/process.cc engine/init/exec.cc engine/init/diagnose.cc engine/init/home.cc',
    calls: 'chdir execve fstatat faccessat openat openat2 statvfs',
    in: 'run is_file look exists of_contents of_permission of_file',
    why: 'after the root was entered: paths as the program itself would use them, with its rights and nothing else open',
  },
]

/** The host side, the launcher and the addon stay in the host's mount namespace. */
const HOST: readonly Allowed[] = [
  {
    files:
      'engine/state_dir.cc engine/state_files.cc engine/journal.cc engine/destroy.cc engine/host/undo_journal.cc launcher/gc.cc launcher/container_names.cc',
    calls: 'open openat mkdir mkdirat mkfifoat rmdir unlinkat renameat stat fstatat faccessat opendir read_file',
    why: "the runtime's own directory, which is the caller's alone (0700), by names of this program",
  },
  {
    files: 'engine/host/init_files.cc launcher/notify.cc engine/unix_address.cc engine/host/hook_op.cc',
    calls: 'mkdirat fchmodat open openat unlink unlinkat rename read_file write_file open_host',
    why: 'files of the host that the caller names (pid file, sockets, logs of hooks), and the notify socket beside the state',
  },
  {
    files: `engine/host/cgroup_freeze.cc engine/host/cgroup_limit.cc engine/host/cgroup_make.cc engine/host/cgroup_owner.cc
      engine/host/cgroup_processes.cc engine/host/cgroup_reclaim.cc engine/host/cgroup_tree.cc engine/host/cgroup_undo.cc
      engine/host/cgroup_usage.cc engine/host/cgroup_write.cc engine/host/device_filter.cc engine/host/systemd_properties.cc
      engine/host/clone_init.cc engine/host/clone_exec.cc engine/status.cc engine/destroy.cc launcher/cgroup_files.cc
      launcher/leave_cgroups.cc launcher/oom_watch.cc launcher/stats_memory.cc`,
    calls:
      'open openat open_host access faccessat fchownat mkdir mkdirat rmdir unlinkat opendir read_file write_file statx',
    why: 'cgroupfs and /proc of the host: no container can make links or files there, in its own cgroup only directories',
  },
  {
    files: 'engine/host/rdt.cc launcher/stats_rdt.cc',
    calls: 'access mkdir opendir read_file write_file',
    why: 'resctrl of the host, which no container sees',
  },
  {
    files: `engine/host/user_namespace.cc engine/host/net_device.cc engine/host/net_device_undo.cc engine/host/open_tree.cc
      engine/host/criu_restore.cc engine/host/mounts.cc engine/host/mount_rows.cc engine/host/idmap_failure.cc
      engine/host/criu.cc addon/peer.cc addon/repeated_plans.cc addon/planner_server.cc launcher/container.cc launcher/handoff.cc launcher/host_namespaces.cc launcher/leave_planner.cc
      launcher/become_in_place.cc launcher/repeated_plan.cc`,
    calls: 'open openat open_host stat fstatat read_file write_file',
    why: '/proc of the host, and files of namespaces that the configuration names',
  },
  {
    files: 'engine/host/open_tree.cc engine/host/idmap_failure.cc',
    calls: 'open_tree',
    why: 'sources of mounts in the host, which the configuration names; what was opened is verified',
  },
  {
    files: 'engine/host/mounts.cc',
    calls: 'openat2 umount2',
    in: 'unmount_one',
    why: 'what a container without a mount namespace mounted in the host: no link is followed, the mount is known by its id',
  },
  {
    files: 'engine/host/criu.cc engine/host/criu_dump.cc engine/host/criu_restore.cc',
    calls: 'open openat mkdir rmdir unlinkat mount',
    why: "directories of images and CRIU's log, which the caller names; the root by its descriptor or in CRIU's own mount namespace",
  },
  {
    files: 'launcher/kept_plans.cc launcher/kept_facts.cc launcher/kept_call.cc',
    calls: 'open openat mkdir unlinkat renameat stat lstat statfs',
    why: "a directory of the runtime's own, which is the caller's alone (0700), /proc of the host, and this program",
  },
  {
    files:
      'addon/container_lock.cc addon/seccomp_cache.cc launcher/planner_client.cc launcher/planner_answers.cc launcher/planner_request.cc launcher/planner_words.h launcher/called_container.cc launcher/leave_planner.cc launcher/warm.cc launcher/asked.cc',
    calls: 'open openat mkdir stat fstatat access linkat unlinkat realpath chdir',
    why: "the runtime's own directory, and files of the bundle as the caller names them, read by a process that is the caller's",
  },
  {
    files: `engine/monitor_files.cc launcher/monitor_clients.cc launcher/monitor_exit.cc launcher/monitor_start.cc launcher/monitored.cc launcher/monitor_log_reader.cc`,
    calls: 'openat mkdirat unlinkat renameat faccessat read_file',
    why: "the monitors' directories in the runtime's own directory, by descriptors",
  },
  {
    files: 'launcher/monitor_start.cc',
    calls: 'open write_file chdir execve',
    why: '/proc and cgroupfs of the host, "/", and this program again',
  },
  {
    files: 'launcher/monitor_streams.cc launcher/monitor_log.cc launcher/monitor_log_reader.cc launcher/logs.cc',
    calls: 'open stat rename unlink inotify_add_watch',
    why: 'files that the caller names on the command line, and /dev/null of the host; before a container exists',
  },
  {
    files: 'launcher/log.cc launcher/trace_file.cc',
    calls: 'open',
    why: 'files that the caller names on the command line',
  },
  {
    files: 'addon/hand_off.cc launcher/node.cc launcher/quick_start.cc launcher/sealed.cc',
    calls: 'open openat stat fstatat access readlink realpath execve read_file',
    why: 'this program and node, where they are installed, and how long files of the call are; before a container exists',
  },
  {
    files: 'engine/hooks.cc engine/host/id_maps.cc engine/host/criu.cc launcher/ps.cc',
    calls: 'execve execvp posix_spawn',
    why: 'programs of the host or of the configuration (hooks, newuidmap, criu, ps); hooks of a container run in its namespaces by intent',
  },
  {
    files: 'addon/program.cc',
    calls: 'open posix_spawn',
    why: "/dev/null of the host, and this program again: the shim's resident process enters no container",
  },
]

/** containerd's shim: no container is entered, its root is mounted before there is one. */
const SHIM: readonly Allowed[] = [
  {
    files: 'shim/place.cc shim/keeper.cc shim/start.cc',
    calls: 'mkdirat openat unlink faccessat',
    why: "the keeper's directory in /run, which is root's alone, by names of this program",
  },
  {
    files: 'shim/start.cc',
    calls: 'open rename',
    in: 'keep_address',
    why: "the bundle, which is containerd's alone and the working directory",
  },
  {
    files: 'shim/shim.cc',
    calls: 'mkfifo',
    in: 'run_fifo',
    why: "in the keeper's directory, by names of the resident process",
  },
  {
    files: 'shim/mounts.cc',
    calls: 'mount umount2 chdir open',
    why: "the working directory, and the root in the bundle, which containerd names: no link is followed at unmount, and the bundle is containerd's alone",
  },
  {
    files: 'shim/leave_keeper.cc',
    calls: 'openat open dup2 chdir execve',
    why: "the keeper's own log and streams, and this program again",
  },
  {
    files: 'shim/resident.cc',
    calls: 'dup2',
    in: 'become_resident',
    why: 'the one descriptor that the resident process is to have',
  },
]

/** Descriptors that are meant for another program, or that may not be closed. */
const INHERITED: readonly Allowed[] = [
  {
    files: 'engine/hooks.cc engine/host/criu.cc engine/host/id_maps.cc engine/host/user_namespace.cc',
    calls: 'dup2',
    why: 'standard streams and what a program is given by number, in the child that executes it',
  },
  {
    files: 'launcher/monitor_streams.cc',
    calls: 'dup2',
    in: 'place leave',
    why: 'the standard streams that the next child inherits, and /dev/null in their place',
  },
  {
    files: 'launcher/standard_input.cc',
    calls: 'dup2',
    in: 'take_input',
    why: 'the standard input that was read, for node to read again',
  },
  { files: 'engine/init/console.cc', calls: 'dup2', in: 'run', why: "the terminal as the program's standard streams" },
  {
    files: 'launcher/main.cc launcher/leave_planner.cc',
    calls: 'open',
    in: 'fill_standard_streams drop_descriptors',
    why: 'a standard stream that was closed becomes /dev/null, so that nothing else gets its number',
  },
  {
    files: 'launcher/leave_planner.cc',
    calls: 'open',
    in: 'lock_root',
    why: 'the lock is held until the planner listens, which is the program that this process becomes',
  },
]

export const ALLOWED: readonly Allowed[] = [...ENTERING, ...INHERITED, ...SHIM, ...HOST]
