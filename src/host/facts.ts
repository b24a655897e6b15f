/** One v1 hierarchy: where it is mounted and which controllers it has ("cpu", "cpuacct", "name=systemd"). */
export interface CgroupV1Hierarchy {
  readonly mountPoint: string
  readonly controllers: readonly string[]
  /** The caller may make no cgroups in it. Absent for root of the initial user namespace, who always may. */
  readonly refused?: boolean
}

/** A cgroup of v2 that the caller may divide (cgroups(7) "Cgroups delegation"), as in "/user.slice/user-1000.slice". */
export interface DelegatedCgroup {
  readonly path: string
  /** What its cgroup.controllers has. */
  readonly controllers: readonly string[]
}

interface CgroupV2Facts {
  readonly version: 2
  readonly mountPoint: string
  readonly controllers: readonly string[]
  /** The caller's own cgroup. */
  readonly own: string
  /** The caller's cgroup and those above it that the caller may divide, the lowest first. Absent for root of the initial
   *  user namespace, who may divide all. */
  readonly delegated?: readonly DelegatedCgroup[] | undefined
}

/** How this host's cgroups are laid out. hybrid is v1 with an additional cgroup2 mount that has no controllers. */
export type CgroupFacts =
  | { readonly version: 1; readonly hierarchies: readonly CgroupV1Hierarchy[] }
  | CgroupV2Facts
  | { readonly version: 0 }

/** The systemd that makes the container's cgroup. */
export interface SystemdFacts {
  /** The host's, or that of the caller (user@.service(5)). */
  readonly instance: 'system' | 'user'
  /** Its own cgroup, beneath which all its units are, as in "" or "/user.slice/user-1000.slice/user@1000.service". */
  readonly root: string
}

/** The resctrl file system, and the group in it that the container is to be in. */
export interface ResctrlFacts {
  readonly mountPoint: string
  /** Content of the group's schemata file; absent: there is no such group. */
  readonly schemata?: string
}

/** What this host can do: probed once, then only read. Everything in it is plain data, so a golden test can make one. */
export interface HostFacts {
  readonly cgroup: CgroupFacts
  /** Effective user and group id of the caller, as numbers of its user namespace. */
  readonly euid: number
  readonly egid: number
  /** The caller is not in the initial user namespace. */
  readonly inUserNamespace: boolean
  /** setgroups(2) was given up in the caller's user namespace (/proc/self/setgroups), and so in those made in it. */
  readonly deniesSetgroups: boolean
  /** Highest capability number of the kernel (/proc/sys/kernel/cap_last_cap). */
  readonly lastCapability: number
  /** uname -m, as in "x86_64". */
  readonly machine: string
  /** "dev:ino" of the paths in linux.namespaces[].path that could be read, by path, and, where there is any, of the
   *  caller's namespaces by /proc/self/ns name: to see whether a joined namespace is the host's own. */
  readonly namespaces: Readonly<Record<string, string>>
  /** Bytes of a page of memory (getpagesize(2)); 4096, the smallest there is, where nothing asks for it. */
  readonly pageSize: number
  /** Pagesizes of /sys/kernel/mm/hugepages as in "2MB". */
  readonly hugepageSizes: readonly string[]
  /** The hugetlb controller has reservation accounting files (hugetlb.*.rsvd.*). */
  readonly hugetlbReservations: boolean
  /** The kernel can swap (CONFIG_SWAP), whether or not it has anything to swap to. */
  readonly swap: boolean
  /** v1: names (lower case file names) present in a fresh cgroup that decide between two forms, as in
   *  "blkio.bfq.weight". */
  readonly cgroupFiles: readonly string[]
  /** Whether AppArmor is enabled, and a profile confines the caller itself. `off` where the configuration names no
   *  profile: then nobody looked. */
  readonly apparmor: 'off' | 'unconfined' | 'confined'
  /** SELinux has a policy. False where the configuration has no label: then nobody looked. */
  readonly selinux: boolean
  /** Absent: systemd does not run here, or was not asked for. */
  readonly systemd?: SystemdFacts | undefined
  /** Absent: resctrl is not mounted, or was not asked for. */
  readonly resctrl?: ResctrlFacts | undefined
}

/** What the launcher noted of its caller before node was started. */
export interface Caller {
  /** Open descriptors. */
  readonly fds: readonly number[]
  /** The caller's process id (the launcher's own), for LISTEN_PID. */
  readonly pid: number
}

/** `cgroupfs`: this runtime, by files. `systemd`: systemd, asked by D-Bus. `disabled`: there is to be none. */
export type CgroupManager = 'cgroupfs' | 'systemd' | 'disabled'

/** The values of --rootless: whether a cgroup that cannot be made is done without, where nothing is asked of it. */
export type RootlessMode = 'true' | 'false' | 'auto'

/** The flags of create and run that shape a plan. */
export interface PlanOptions {
  readonly id: string
  /** Absolute, clean, symlinks resolved. */
  readonly bundle: string
  /** Absolute path of root.path after resolution against the bundle. */
  readonly rootfs: string
  /** Directory of all containers' state, absolute. */
  readonly root: string
  readonly noPivot: boolean
  readonly noNewKeyring: boolean
  readonly preserveFds: number
  readonly pidFile: string | undefined
  readonly consoleSocket: string | undefined
  readonly pidfdSocket: string | undefined
  readonly detach: boolean
  /** Who makes the container's cgroup. */
  readonly cgroupManager: CgroupManager
  readonly rootless: RootlessMode
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly caller: Caller
  /** Bytes of config.json as read. */
  readonly config: Uint8Array
}
