/**
 * The vocabulary of a plan: every operation that the engine can run, and the fields of each.
 *
 * This table is the one definition. TypeScript's types, the encoder and the printer are derived from it here; the C++
 * structs and the bounded decoder (native/wire/ops.gen.h) are generated from it by tools/gen-wire.ts. Codes are
 * permanent: a new operation gets a new code, a retired code is never used again.
 *
 * `side` says who may run the operation: `host` is the tsrunc process outside of the container, `init` the process
 * that becomes the container's first. Both refuse an operation of the other side.
 */

/** u32: number; i64 and u64: bigint; str: UTF-8 without NUL; strs and u32s: lists; bytes: Uint8Array. */
export type FieldType = 'bool' | 'u32' | 'u64' | 'i64' | 'str' | 'strs' | 'u32s' | 'bytes'
export type Side = 'host' | 'init' | 'both'

interface OpDefinition {
  readonly code: number
  readonly side: Side
  readonly fields: Readonly<Record<string, FieldType>>
}

export const OPS = {
  // ---- cgroups (host) -------------------------------------------------------------------------------------------
  /** mkdir -p of `path` beneath the hierarchy's mount point `root`; every directory made is journaled before it is
   *  made. `cpuset`: v1, copy cpuset.cpus and cpuset.mems of the parent into each new directory.
   *  `mustBeEmpty`: the last directory, if it is there already, must hold no process (config-linux.md "Cgroups Path"). */
  makeCgroup: { code: 1, side: 'host', fields: { root: 'str', path: 'str', cpuset: 'bool', mustBeEmpty: 'bool' } },
  /** v2: write `+controller` into cgroup.subtree_control of `root` and of each directory on the way to the parent of
   *  `path`. A controller that is not available is an error which names it; one of `optional` is left out where it is
   *  not available or cannot be enabled. */
  enableControllers: {
    code: 2,
    side: 'host',
    fields: { root: 'str', path: 'str', controllers: 'strs', optional: 'strs' },
  },
  /** Write `value` into the existing file in one write(2). `ifAny`: the value is what holds anyway where the kernel does
   *  not have the file. */
  writeCgroupFile: { code: 3, side: 'host', fields: { file: 'str', value: 'str', ifAny: 'bool' } },
  /** v2: load the eBPF program (struct bpf_insn[]) and attach it to the cgroup directory `path`. */
  attachDeviceFilter: { code: 4, side: 'host', fields: { path: 'str', program: 'bytes' } },
  /** Write init's pid into `path`/cgroup.procs: where init itself cannot (see enterCgroup). */
  joinCgroup: { code: 5, side: 'host', fields: { path: 'str' } },
  // 6 was writeFirstCgroupFile: see setCgroupLimit.
  /** v2, config-linux.md "Cgroup ownership": give the directory `path`, if create made it, and those of its files that
   *  /sys/kernel/cgroup/delegate names to the user whose id is `uid` in init's user namespace. */
  chownCgroup: { code: 7, side: 'host', fields: { path: 'str', uid: 'u32' } },
  /** v2, config-linux.md "Memory" checkBeforeUpdate: the number in `file`, what the cgroup uses by now, must not be above
   *  `limit`: the kernel would take the limit and kill. */
  checkCgroupUsage: { code: 8, side: 'host', fields: { file: 'str', limit: 'u64' } },

  /** Write `values[i]` into `files[i]`, the first one that there is, then read the file once and compare: `check` is one of
   *  CHECKS (plan/cgroup/read-back.ts). A value that the kernel did not take is an error that ends with `advice`. `ifAny`:
   *  as in writeCgroupFile. `undo`: one of UNDO, how a later failure of the list puts the old value back; `absent`: what is
   *  written then for a line that was not there. */
  setCgroupLimit: {
    code: 150,
    side: 'host',
    fields: {
      files: 'strs',
      values: 'strs',
      ifAny: 'bool',
      check: 'u32',
      least: 'u64',
      most: 'u64',
      key: 'str',
      texts: 'strs',
      advice: 'str',
      undo: 'u32',
      absent: 'str',
    },
  },
  /** v2: lower memory.max of the cgroup directory `path` to `limit` without killing: memory.high first, then memory.reclaim
   *  until the cgroup uses no more, within `milliseconds`; then memory.max, and memory.high as it was. Undone as
   *  setCgroupLimit is. */
  lowerMemory: { code: 151, side: 'host', fields: { path: 'str', limit: 'u64', milliseconds: 'u32' } },
  /** v2: the eBPF program takes the place of those that are attached to the cgroup directory `path`; an empty one takes them
   *  away. Undone as setCgroupLimit is. */
  replaceDeviceFilter: { code: 152, side: 'host', fields: { path: 'str', program: 'bytes' } },
  /** writeRdtSchemata of a group that is in use; undone as setCgroupLimit is. */
  updateRdtSchemata: { code: 153, side: 'host', fields: { root: 'str', path: 'str', text: 'str' } },

  // ---- making init (host) ---------------------------------------------------------------------------------------
  /** open_tree(2) of a path of the host, before init exists; kept in `slot` for mountBind, bindDevice and maskPath. For
   *  what the root of a user namespace may not open or map. The tree becomes a slave
   *  of the host's mounts: nothing that the container mounts in it comes back. `expectDevice`: 0, or the S_IFMT bits
   *  which the source must have together with `major`:`minor`. `nofollow`: a source that is a symbolic link is opened
   *  itself. */
  openTree: {
    code: 10,
    side: 'host',
    fields: {
      source: 'str',
      recursive: 'bool',
      nofollow: 'bool',
      slot: 'u32',
      expectDevice: 'u32',
      major: 'u32',
      minor: 'u32',
    },
  },
  /** clone3(2) init. `flags`: the CLONE_NEW* of new namespaces (not CLONE_NEWCGROUP, see unshareCgroup).
   *  `joinTypes`/`joinPaths`: CLONE_NEW* and path of each namespace to enter first; each is verified to be of its
   *  type. `joinIndexes`: where each stands in linux.namespaces, for the message. `intoCgroup`: v2 directory for CLONE_INTO_CGROUP, or empty. `timeOffsets`: content for
   *  /proc/PID/timens_offsets, or empty. */
  cloneInit: {
    code: 11,
    side: 'host',
    fields: {
      flags: 'u64',
      joinTypes: 'u32s',
      joinPaths: 'strs',
      joinIndexes: 'u32s',
      intoCgroup: 'str',
      timeOffsets: 'str',
    },
  },
  /** Write init's maps in the kernel's text form (user_namespaces(7)); by newuidmap/newgidmap where `helpers`. */
  writeIdMaps: {
    code: 12,
    side: 'host',
    fields: { uidMap: 'str', gidMap: 'str', denySetgroups: 'bool', helpers: 'bool' },
  },
  setOomScoreAdj: { code: 13, side: 'host', fields: { value: 'i64' } },
  /** Raise init's hard limit to `hard` if it is lower; the soft one is left (init sets both last, see setRlimit). */
  raiseRlimit: { code: 14, side: 'host', fields: { resource: 'u32', hard: 'u64' } },
  /** Send init the message that it waits for in awaitHost of the same `step`. */
  releaseInit: { code: 15, side: 'host', fields: { step: 'u32' } },
  /** Wait for init's reportToHost of the same `step`; a failure that init reports instead is returned. */
  awaitInit: { code: 16, side: 'host', fields: { step: 'u32' } },
  /** Send the pty master that init gave to the AF_UNIX socket at `socket`, as one SCM_RIGHTS message. */
  sendConsole: { code: 17, side: 'host', fields: { socket: 'str' } },
  /** Write init's pid by a temporary file and rename. A create that fails removes it by the journal, an exec itself. */
  writePidFile: { code: 18, side: 'host', fields: { path: 'str' } },
  /** Journal that mounts below `path` belong to the container (it has no mount namespace of its own).
   *  `namespacePath`: path of the joined mount namespace, or empty for the caller's. */
  journalMounts: { code: 19, side: 'host', fields: { path: 'str', namespacePath: 'str' } },

  /** Send the seccomp listener that init gave to the AF_UNIX stream socket at `socket`: one message with the descriptor,
   *  then the end of the connection (config-linux.md "The Container Process State"). `message`: the JSON text in pieces,
   *  two or three, between which init's pid goes. */
  sendSeccompListener: { code: 24, side: 'host', fields: { socket: 'str', message: 'strs' } },
  /** A user namespace whose maps the following mapTree take: the one at `path`; where that is empty, one made for
   *  them with `uidMap` and `gidMap` (user_namespaces(7)), in which no process stays; where these are empty, init's. */
  openIdMap: { code: 25, side: 'host', fields: { path: 'str', uidMap: 'str', gidMap: 'str' } },
  /** MOUNT_ATTR_IDMAP of mount_setattr(2) for the tree in `slot`, with the last openIdMap's namespace. `recursive`: of
   *  every mount of the tree. `source`: where the tree is from, for the message. */
  mapTree: { code: 26, side: 'host', fields: { slot: 'u32', recursive: 'bool', source: 'str' } },
  /** A path as init's mount namespace has it, opened with the rights of the caller, for mountBind by way of `slot`: the
   *  container's root may not be allowed to look at it. There the kernel has locked what the host's mounts restrict
   *  (mount_namespaces(7) "Restrictions on mount namespaces"); a tree that is opened outside could be remounted without.
   *  What only a magic link of procfs leads to is opened as by openTree. */
  openSource: { code: 28, side: 'host', fields: { source: 'str', recursive: 'bool', nofollow: 'bool', slot: 'u32' } },
  /** Verify that the user namespace at `path`, or the caller's where that is empty, has these maps, in whatever order.
   *  `index`: where it stands in linux.namespaces, for the message. */
  checkIdMaps: { code: 27, side: 'host', fields: { path: 'str', index: 'u32', uidMap: 'str', gidMap: 'str' } },
  /** config-linux.md "Network Devices": move `device` of the host into init's network namespace, as `name`, which ends
   *  in %d where `isTemplate`; with its permanent global addresses, and up. Journaled: a create that fails gives it back
   *  as it was. `namespacePath`: path of a network namespace that is joined, or empty. */
  moveNetDevice: {
    code: 50,
    side: 'host',
    fields: { device: 'str', name: 'str', isTemplate: 'bool', namespacePath: 'str' },
  },

  /** Send a pidfd (pidfd_open(2)) of init to the AF_UNIX socket at `socket`, as one SCM_RIGHTS message. */
  sendPidfd: { code: 54, side: 'host', fields: { socket: 'str' } },
  /** Open `path` for hooks to append to, before init exists, into `slot`; it is made with mode 0600 where it is not
   *  there. */
  openHookOutput: { code: 55, side: 'host', fields: { path: 'str', slot: 'u32' } },
  /** mkdir(2) of a group of resctrl. Journaled; with `keep` it outlives the container, and ends with a failed create only. */
  makeRdtGroup: { code: 51, side: 'host', fields: { path: 'str', keep: 'bool' } },
  /** Write `text`, whole lines, into `path`/schemata. `root`: resctrl's own directory, with info/last_cmd_status. */
  writeRdtSchemata: { code: 52, side: 'host', fields: { root: 'str', path: 'str', text: 'str' } },
  /** Write init's pid into `path`/tasks. */
  joinRdtGroup: { code: 53, side: 'host', fields: { path: 'str' } },

  // ---- exec: one more process of a container ----------------------------------------------------------------------
  /** clone3(2) of the process that will run the lists of init. `into`: v2 directory for CLONE_INTO_CGROUP, or empty.
   *  `orInitsOwn`: where it cannot be entered (EBUSY: it has controllers for its children), the cgroup that the
   *  container's first process is in, as with runc. `ignorePaused`: of a container that stands still too. */
  cloneExec: { code: 140, side: 'host', fields: { into: 'str', orInitsOwn: 'bool', ignorePaused: 'bool' } },
  /** setns(2) by the container's pidfd: all namespaces of `flags` at once, CLONE_NEWUSER where it is not that of the
   *  caller. With CLONE_NEWPID only later children are in it, see becomeMember. */
  enterNamespaces: { code: 141, side: 'init', fields: { flags: 'u64' } },
  /** Go on as a child in the pid namespace that was entered, as a child of tsrunc (CLONE_PARENT); the host side learns its
   *  pid. It has by then what the container's processes may have and no more, since those that may trace others can see
   *  it from here on. */
  becomeMember: { code: 142, side: 'init', fields: {} },
  /** sched_setaffinity(2). `cpus`: their numbers; empty: every CPU that the cpuset has. */
  setCpuAffinity: { code: 143, side: 'both', fields: { cpus: 'u32s' } },
  /** TIOCSCTTY of the terminal at descriptor 0, as leader of a session. */
  takeTerminal: { code: 144, side: 'init', fields: {} },

  // ---- hooks (both) ---------------------------------------------------------------------------------------------
  /** config.md "POSIX-platform Hooks". `timeout`: seconds, 0 is none. `status`: the state's status on stdin.
   *  `fatal`: false for poststop, whose failures are warnings. `effective`…`ambient`: capability sets of the hook's
   *  process, applied where `dropCapabilities`. `stdoutPath`, `stderrPath`: files to append what it prints to, or empty; the
   *  host side opens them, init has them in slots (4294967295: none). */
  runHook: {
    code: 30,
    side: 'both',
    fields: {
      name: 'str',
      path: 'str',
      args: 'strs',
      env: 'strs',
      timeout: 'u32',
      status: 'str',
      fatal: 'bool',
      dropCapabilities: 'bool',
      effective: 'u64',
      permitted: 'u64',
      inheritable: 'u64',
      ambient: 'u64',
      stdoutPath: 'str',
      stderrPath: 'str',
      stdoutSlot: 'u32',
      stderrSlot: 'u32',
    },
  },

  // ---- destruction (host) ---------------------------------------------------------------------------------------
  /** SIGKILL every process in the cgroups `paths` (v2: cgroup.kill) and wait until they are gone. */
  killCgroups: { code: 40, side: 'host', fields: { paths: 'strs' } },
  /** Undo what the journal says was made, last first: cgroup directories, pid file, mounts. */
  undoJournal: { code: 41, side: 'host', fields: {} },

  // ---- cgroups made by systemd (host) -----------------------------------------------------------------------------
  /** StartTransientUnit of org.freedesktop.systemd1.Manager (org.freedesktop.systemd1(5)), and its job's end. `bus`:
   *  socket of the bus; `peer`: the manager's own socket, for hosts without a bus, or empty; a leading @ is the abstract
   *  name space. `body`: the call's arguments, with init's pid at `pidOffset` (0: none). `reduced`: the same without what
   *  an old systemd does not know, for one that refuses a property; or empty. `seconds`: for each answer. Journaled. Then init must
   *  be in the cgroup `path` of the hierarchy `hierarchy` of /proc/PID/cgroup ('': v2), unless `pidOffset` is 0; the
   *  directories of the container's cgroup, `directories`, are journaled as its own. */
  startUnit: {
    code: 160,
    side: 'host',
    fields: {
      bus: 'str',
      peer: 'str',
      seconds: 'u32',
      unit: 'str',
      body: 'bytes',
      reduced: 'bytes',
      pidOffset: 'u32',
      reducedPidOffset: 'u32',
      hierarchy: 'str',
      path: 'str',
      directories: 'strs',
    },
  },
  /** StopUnit and ResetFailedUnit of the unit that startUnit made: nothing where the journal has none, or where the unit
   *  that has the name by now is another one, whose Documentation does not name `mark`. `object`: the unit's object path.
   *  A bus that is gone or does not answer is a warning: the cgroup is then removed by files. */
  stopUnit: {
    code: 161,
    side: 'host',
    fields: { bus: 'str', peer: 'str', seconds: 'u32', unit: 'str', object: 'str', mark: 'str' },
  },
  /** Before anything of the cgroup is taken away: whether the unit that is active under the name is another one, whose
   *  Documentation does not name `mark`. Then killCgroups, stopUnit and undoJournal leave its cgroup alone. */
  checkUnit: {
    code: 163,
    side: 'host',
    fields: { bus: 'str', peer: 'str', seconds: 'u32', unit: 'str', object: 'str', mark: 'str' },
  },
  /** An update, after its files: SetUnitProperties with the arguments `body`, so that systemd keeps what the files say. It
   *  writes its own idea of these properties into files, and of others of the same controllers: those of `files` that it
   *  has changed get their first line back. Where this fails, or a later operation, `undo` is what was set before.
   *  `reduced` and `undoReduced`: the same without what an old systemd does not know; or empty. `object` and `mark`: as for
   *  stopUnit; a unit that is somebody else's by now is an error. `frozen`: cgroups that stand still meanwhile. */
  setUnitProperties: {
    code: 162,
    side: 'host',
    fields: {
      bus: 'str',
      peer: 'str',
      seconds: 'u32',
      unit: 'str',
      object: 'str',
      mark: 'str',
      body: 'bytes',
      reduced: 'bytes',
      undo: 'bytes',
      undoReduced: 'bytes',
      files: 'strs',
      frozen: 'strs',
    },
  },

  /** The directory `notify` in the container's state directory: of the socket by which its program says that it is ready. */
  makeNotifyDirectory: { code: 181, side: 'host', fields: {} },

  // ---- init: namespaces and identity ----------------------------------------------------------------------------
  awaitHost: { code: 60, side: 'init', fields: { step: 'u32' } },
  reportToHost: { code: 61, side: 'init', fields: { step: 'u32' } },
  /** setresgid, setgroups(empty) and setresuid to 0 of the user namespace. */
  becomeRoot: { code: 62, side: 'init', fields: { setgroups: 'bool' } },
  newSession: { code: 63, side: 'init', fields: {} },
  /** A new session keyring (session-keyring(7)) with possession rights added; see runc's --no-new-keyring. */
  joinKeyring: { code: 64, side: 'init', fields: { name: 'str' } },
  /** unshare(CLONE_NEWCGROUP) once init is in its cgroup: cgroup_namespaces(7), the root is where the caller is. */
  unshareCgroup: { code: 65, side: 'init', fields: {} },
  bringUpLoopback: { code: 66, side: 'init', fields: {} },
  setHostname: { code: 67, side: 'init', fields: { name: 'str' } },
  setDomainname: { code: 68, side: 'init', fields: { name: 'str' } },
  /** Write `value` into proc/sys/`path` of the host's procfs, verified, in init's namespaces. */
  writeSysctl: { code: 69, side: 'init', fields: { path: 'str', value: 'str' } },
  /** As in personality(2). */
  setPersonality: { code: 70, side: 'init', fields: { persona: 'u64' } },

  /** v1: init writes "0" into `path`/tasks. A thread that moves only itself does not wait for the RCU grace period that
   *  a write into cgroup.procs waits for (5 to 25 ms; kernel commit 9a3284fad42f, Linux 6.0). */
  enterCgroup: { code: 71, side: 'init', fields: { path: 'str' } },

  // ---- init: labels of mandatory access control; attributes are written through the host's procfs, verified ---------
  /** The SELinux context of the keys that init makes (proc/self/attr/keycreate); '' is the policy's choice again. */
  setKeyLabel: { code: 72, side: 'init', fields: { label: 'str' } },
  /** AppArmor: `command` ("exec PROFILE" or "stack PROFILE") is written into proc/self/attr/apparmor/exec, or attr/exec where the kernel does
   *  not have that one (before Linux 5.8). It takes effect at execve(2), for the hooks of startContainer too. */
  setApparmorProfile: { code: 73, side: 'init', fields: { command: 'str' } },
  /** SELinux: the context of what the next execve(2) runs (proc/self/attr/exec), of startContainer hooks too. */
  setSelinuxLabel: { code: 74, side: 'init', fields: { label: 'str' } },
  /** SELinux: setxattr(2) security.selinux of what is mounted at `path`, for a file system which takes no option for it.
   *  A warning where the file system, or the user namespace, does not allow that either. */
  setFileLabel: { code: 75, side: 'init', fields: { path: 'str', label: 'str' } },

  // ---- init: root file system -----------------------------------------------------------------------------------
  /** Change the propagation of every mount of the new namespace (`flags`: MS_* with MS_REC) so that nothing leaks out,
   *  and make the mount that holds `rootfs` private. */
  prepareMountTree: { code: 80, side: 'init', fields: { rootfs: 'str', flags: 'u64' } },
  /** Bind `path` onto itself and open the root's fd, beneath which every later path is resolved. With `bind` false
   *  only open it. */
  openRoot: { code: 81, side: 'init', fields: { path: 'str', bind: 'bool' } },
  /** A new file system. `options`: "key" or "key=value" for fsconfig(2), `words`: the index in
   *  mounts[].options that each is from; `superFlags`: words for the superblock
   *  ("ro", "sync", …); `attributes`: MOUNT_ATTR_*; `legacyFlags`/`legacyData`: the same for mount(2), used where
   *  `legacy` (a value does not fit fsconfig's 255 bytes). `propagation`: MS_* in order. `inheritMode`: a tmpfs takes
   *  the mode of the directory that it covers. `copyUp`: tmpcopyup. `label`: the option of SELinux, as in
   *  "context=LABEL", or empty; part of `legacyData` too. */
  mountFs: {
    code: 82,
    side: 'init',
    fields: {
      destination: 'str',
      fstype: 'str',
      source: 'str',
      options: 'strs',
      words: 'u32s',
      superFlags: 'strs',
      attributes: 'u64',
      legacy: 'bool',
      legacyFlags: 'u64',
      legacyData: 'str',
      propagation: 'u32s',
      inheritMode: 'bool',
      copyUp: 'bool',
      label: 'str',
    },
  },
  /** A bind mount. Source is `source`, or the tree in `slot` (4294967295: none). `set`/`clear`: MOUNT_ATTR_* of the
   *  mount, `setAll`/`clearAll`: of the whole tree. Flags locked by a parent namespace are kept where `clear` does not
   *  name them. `sourceNofollow`: a source that is a symbolic link is mounted itself, or, where `copySymlink`, made anew
   *  at the destination, without a mount. `destinationNofollow`: a destination that is a link is covered itself. */
  mountBind: {
    code: 83,
    side: 'init',
    fields: {
      destination: 'str',
      source: 'str',
      slot: 'u32',
      recursive: 'bool',
      sourceNofollow: 'bool',
      copySymlink: 'bool',
      destinationNofollow: 'bool',
      set: 'u64',
      clear: 'u64',
      setAll: 'u64',
      clearAll: 'u64',
      propagation: 'u32s',
    },
  },
  /** mount(2) with MS_REMOUNT of what is mounted at `destination`. */
  remount: { code: 84, side: 'init', fields: { destination: 'str', flags: 'u64', data: 'str' } },
  /** mkdir -p beneath the root. */
  makeDirectory: { code: 85, side: 'init', fields: { path: 'str', mode: 'u32' } },
  /** mknod beneath the root. `type`: S_IFCHR, S_IFBLK or S_IFIFO. An existing file must be that device, else EEXIST; it
   *  gets the mode where `setMode`, the owner where `setOwner`. `mustExist`: nothing is made or changed. */
  makeDevice: {
    code: 86,
    side: 'init',
    fields: {
      path: 'str',
      type: 'u32',
      major: 'u32',
      minor: 'u32',
      mode: 'u32',
      uid: 'u32',
      gid: 'u32',
      setMode: 'bool',
      setOwner: 'bool',
      mustExist: 'bool',
    },
  },
  /** Bind the host's device of this type and number, opened by openTree into `slot` (4294967295: open `path`). What is at
   *  the path must be that device, or an empty file, which a mount needs, else EEXIST. */
  bindDevice: {
    code: 87,
    side: 'init',
    fields: { path: 'str', slot: 'u32', type: 'u32', major: 'u32', minor: 'u32' },
  },
  /** symlink(2) beneath the root; what exists already is left. `mustExist`: a path of the container without which the
   *  link is not made, or empty. */
  makeSymlink: { code: 88, side: 'init', fields: { target: 'str', path: 'str', replace: 'bool', mustExist: 'str' } },
  /** A pty of the container's devpts: master to the host by the next reportToHost, slave to 0, 1, 2. `ofInit`: and to the
   *  controlling terminal and onto /dev/console. `rows`/`columns`: 0 leaves the size. */
  openConsole: { code: 89, side: 'init', fields: { rows: 'u32', columns: 'u32', uid: 'u32', ofInit: 'bool' } },
  /** config-linux.md "Masked Paths": a file is covered with the host's verified /dev/null, a directory with an empty
   *  read-only tmpfs; a missing path is no error. `nullSlot`: slot with the host's /dev/null (4294967295: open it).
   *  `label`: as with mountFs, of the tmpfs. */
  maskPath: { code: 90, side: 'init', fields: { path: 'str', nullSlot: 'u32', label: 'str' } },
  /** config-linux.md "Readonly Paths": bind and make read-only, keeping locked flags; a missing path is no error. */
  readonlyPath: { code: 91, side: 'init', fields: { path: 'str' } },
  /** Make the mount at `path` ("/": the root) read-only. */
  setReadonly: { code: 92, side: 'init', fields: { path: 'str' } },
  /** pivot_root(2) into the root and unmount the old one. */
  pivotRoot: { code: 93, side: 'init', fields: {} },
  /** --no-pivot: MS_MOVE the root over / and chroot(2). */
  moveRoot: { code: 94, side: 'init', fields: {} },
  /** chroot(2): a container without a mount namespace of its own. */
  changeRoot: { code: 95, side: 'init', fields: {} },
  /** Propagation of / after the root was entered (config-linux.md "Rootfs Mount Propagation"). */
  setRootPropagation: { code: 96, side: 'init', fields: { flags: 'u64' } },

  // ---- init: credentials and limits -----------------------------------------------------------------------------
  setUmask: { code: 110, side: 'init', fields: { value: 'u32' } },
  /** chdir(2) and proof that the result is inside of the root (CVE-2024-21626). `retry`: another one, as the
   *  container's user, follows, so that EACCES is not an error yet. After one that succeeded it does nothing. */
  changeDirectory: { code: 111, side: 'init', fields: { path: 'str', retry: 'bool' } },
  /** fchown of 0, 1, 2 where they are a pipe, a socket or the container's own terminal. */
  ownStdio: { code: 112, side: 'init', fields: { uid: 'u32', gid: 'u32' } },
  /** setgroups, setresgid, setresuid; capabilities survive (PR_SET_KEEPCAPS). `setgroups` false: groups are left. */
  setUser: { code: 113, side: 'init', fields: { uid: 'u32', gid: 'u32', groups: 'u32s', setgroups: 'bool' } },
  /** Drop every capability that is not in the mask `keep` from the bounding set. */
  setBoundingSet: { code: 114, side: 'init', fields: { keep: 'u64' } },
  /** capset(2) and the ambient set. Masks, bit N is capability N. What the caller does not have is left out with a
   *  warning (config.md "capabilities"). */
  setCapabilities: {
    code: 115,
    side: 'init',
    fields: { effective: 'u64', permitted: 'u64', inheritable: 'u64', ambient: 'u64' },
  },
  setNoNewPrivileges: { code: 116, side: 'init', fields: {} },
  setRlimit: { code: 117, side: 'init', fields: { resource: 'u32', soft: 'u64', hard: 'u64' } },
  /** seccomp(2) SECCOMP_SET_MODE_FILTER. `flags`: SECCOMP_FILTER_FLAG_*; `program`: struct sock_filter[]. */
  setSeccomp: { code: 118, side: 'init', fields: { flags: 'u64', program: 'bytes' } },
  /** The same with SECCOMP_FILTER_FLAG_NEW_LISTENER, at create. The listener goes to the host by the step `filtered`, sent
   *  by a thread that is not under the filter, which also speaks for init until `committed`. */
  setSeccompWithListener: { code: 126, side: 'init', fields: { flags: 'u64', program: 'bytes' } },
  /** Look up the home directory of `uid` in the container's /etc/passwd; exec adds it as HOME ("/" if there is none).
   *  For an environment without HOME. */
  findHome: { code: 121, side: 'init', fields: { uid: 'u32' } },
  /** Whether exec will find the program `name`, as the container's user and by the same search; `env`: the variable PATH, if
   *  there is one. Nothing is opened or remembered. */
  findProgram: { code: 180, side: 'init', fields: { name: 'str', env: 'strs' } },
  /** Wait for `tsrunc start` at the exec fifo. */
  awaitStart: { code: 119, side: 'init', fields: {} },
  /** execve(2). PATH of `env` is searched where args[0] has no slash. fds from 3 + `preserveFds` on are closed. */
  exec: { code: 120, side: 'init', fields: { args: 'strs', env: 'strs', preserveFds: 'u32' } },

  // ---- scheduling and memory ------------------------------------------------------------------------------------
  /** sched_setattr(2) of init, by itself or from the host side. `policy`: SCHED_*; `nice`: -20 to 19; `flags`:
   *  SCHED_FLAG_*; `runtime`, `deadline`, `period`: nanoseconds. What is not asked for is 0. */
  setScheduler: {
    code: 130,
    side: 'both',
    fields: {
      policy: 'u32',
      nice: 'i64',
      priority: 'u32',
      flags: 'u64',
      runtime: 'u64',
      deadline: 'u64',
      period: 'u64',
    },
  },
  /** ioprio_set(2) of init, by itself or from the host side. `value`: IOPRIO_PRIO_VALUE(class, priority). */
  setIoPriority: { code: 131, side: 'both', fields: { value: 'u32' } },
  /** set_mempolicy(2). `mode`: MPOL_* | MPOL_F_*; `nodes`: the numbers in the mask, none above 1023. */
  setMemoryPolicy: { code: 132, side: 'init', fields: { mode: 'u32', nodes: 'u32s' } },

  // ---- checkpoint and restore by CRIU (host) ----------------------------------------------------------------------
  /** Let `criu`, started with `environment`, save the container into `imagePath`. `request`: criu_req_type of CRIU's
   *  rpc.proto; `lazy`: it may wait for a partner. `options`: the bytes of criu_opts, to which the descriptors of `imagePath` and `workPath` are added; both are
   *  made where they are missing.
   *  `logFile`: its log, in `workPath`. Then `fileTexts[i]` is written to `fileNames[i]` in `imagePath`. What fails leaves no
   *  image. */
  dumpContainer: {
    code: 190,
    side: 'host',
    fields: {
      criu: 'str',
      environment: 'strs',
      options: 'bytes',
      imagePath: 'str',
      workPath: 'str',
      logFile: 'str',
      lazy: 'bool',
      request: 'u32',
      fileNames: 'strs',
      fileTexts: 'strs',
    },
  },
  /** Start `criu`, which then waits for requestCriu, in a mount namespace of its own in which `root` is a mount. Until then
   *  it stands for init: what puts init into cgroups puts CRIU there, whose children the restored processes are. It gets,
   *  from descriptor 4 on, for each of `inheritPaths` the file, or, where that is empty, the caller's descriptor of
   *  `inheritFds`. */
  startCriu: {
    code: 191,
    side: 'host',
    fields: { criu: 'str', environment: 'strs', root: 'str', inheritFds: 'u32s', inheritPaths: 'strs' },
  },
  /** Ask it for a restore from `imagePath`; the other fields are those of dumpContainer. */
  requestCriu: {
    code: 192,
    side: 'host',
    fields: { options: 'bytes', imagePath: 'str', workPath: 'str', logFile: 'str', lazy: 'bool' },
  },
  /** Let CRIU go on until it tells of `script` (criu(8) "Action scripts"), or, where that is empty, to its end. */
  awaitCriu: { code: 193, side: 'host', fields: { script: 'str' } },
  /** The restored process must have this label, as the first of `files` beneath /proc/PID that there is tells it: CRIU that was
   *  built without a security module does not say that it leaves labels out. A mode behind it, " (enforce)", is none of it. */
  checkLabel: { code: 195, side: 'host', fields: { files: 'strs', label: 'str', module: 'str' } },
  /** The restored process is the container's from here on. */
  saveRestored: { code: 194, side: 'host', fields: {} },
} as const satisfies Record<string, OpDefinition>

export type OpKind = keyof typeof OPS

interface FieldTypes {
  bool: boolean
  u32: number
  u64: bigint
  i64: bigint
  str: string
  strs: readonly string[]
  u32s: readonly number[]
  bytes: Uint8Array
}

type Fields<K extends OpKind> = {
  readonly [F in keyof (typeof OPS)[K]['fields']]: (typeof OPS)[K]['fields'][F] extends FieldType
    ? FieldTypes[(typeof OPS)[K]['fields'][F]]
    : never
}

/** One operation. `pointer`: JSON pointer of the line of config.json that asked for it, or ''. `what`: what is being
 *  done, for a person, as in `mount "/data"`; the start of the error message if it fails. */
export type Op<K extends OpKind = OpKind> = {
  [P in K]: { readonly kind: P; readonly pointer: string; readonly what: string } & Fields<P>
}[K]

/** No slot: the operation opens its source itself. */
export const NO_SLOT = 0xffffffff

/** The meeting points of host and init, in the order in which they are passed. */
export const STEPS = {
  /** host → init: id maps are written, init is in the cgroups that others put it into. */
  mapped: 1,
  /** host → init: the cgroups that init enters by itself are there. Only where it enters them late. */
  grouped: 7,
  /** init → host: mounts and devices are in place, / is still the host's. */
  mounted: 2,
  /** host → init: prestart and createRuntime hooks have run. */
  hooked: 3,
  /** init → host: the filter with a listener is loaded; carries the listener. Only where there is one. */
  filtered: 6,
  /** init → host: everything but the program's start is done; carries the console's master. */
  ready: 4,
  /** host → init: the state is saved, init no longer ends with its parent. */
  committed: 5,
} as const
