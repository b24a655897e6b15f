/** One way to start the virtual machine, and the tests that it runs. */
export interface Machine {
  readonly name: string
  /** Suite of the kernel: spec-tests/vm/build. */
  readonly kernel: 'trixie' | 'bookworm' | 'sid'
  readonly cgroup: 'v2' | 'v1' | 'hybrid'
  /** More words of the kernel's command line. */
  readonly cmdline: string
  /** SPEC_TESTS_PLANNER: whether a planner plans. Emulated, node takes some seconds to start, most of the time of a test. */
  readonly planner: 'on' | 'off'
  /**
   * What tests may need of it, as spec-tests/lib/requires.ts says it: it runs what the host could not run for want of these,
   * and fails when a test is skipped for want of one.
   */
  readonly provides: RegExp
  /** Tests that it runs in any case, by path and title. */
  readonly always: RegExp
}

const V2 =
  'cgroup-v2|a kernel that measures pressure|hugetlb|io\\.weight|swap accounting|the cgroup controller (cpu|cpuset|io|memory|hugetlb|pids|rdma|misc)'
const V1 =
  'cgroup-v1|hugetlb|swap accounting|blkio throttling|a host without weights of blkio|the cgroup controller [a-z_]+' +
  '|memory\\.(use_hierarchy|oom_control|kmem\\.tcp\\.limit_in_bytes)|cpu\\.(cfs_burst_us|idle)'
const LINUX =
  'root|systemd|the systemd of a user|userns|timens|cgroupns|x86_64|system calls of i386|nosymfollow|mount_setattr|CAP_SYS_RESOURCE|a disk|weights of a disk|a block device|the device 10:229|the module .*'

const allOf = (...words: readonly string[]): RegExp => new RegExp(`^(${words.join('|')})$`)

/** Whether a machine has everything that a test was skipped for: "needs A, B". */
export const providesAll = ({ provides }: Machine, unmet: string): boolean =>
  unmet
    .replace(/^needs /, '')
    .split(', ')
    .every((need) => provides.test(need))

/** What kernels do differently, one or two tests of each: it is the kernel that is tried, not the subject. */
const KERNELS =
  /timeOffsets are|a negative offset|cgroups-v2\.test.*(: limit is memory\.max|is denied cannot|pages and of reservations|weight becomes|a line of the same file)|with a user namespace, directory|status goes from created to running|scheduling\.test.*SCHED_DEADLINE/

/** Limits that change, what they do to programs, and the end of fork bombs: a host of cgroup v1 tries it there only. */
const LIMITS =
  /cli\/update(-flags|-memory)?\.test.*(what is not given|flags of memory|every|given? up|rules for devices)|limits-effects\.test/

/** What is seen of a container and done to it by way of its cgroups, which have other files on each version. */
const VERBS = /cli\/(events\.test.*type oom|pause\.test.*no process goes on|ps\.test.*a created and a running)/

/** What of systemd depends on how cgroups are laid out. */
const SYSTEMD =
  /systemd\/.*(is the scope prefix-name|hold after a daemon-reload|paused, resumed|a create that fails|knows the new limits|had nothing changes)/

/** In this order. Each costs a boot the first time, half a minute of two processors; tests cost some seconds each. */
export const MACHINES: readonly Machine[] = [
  {
    name: 'newest',
    kernel: 'sid',
    cgroup: 'v2',
    cmdline: '',
    planner: 'on',
    provides: allOf(V2, LINUX, 'apparmor', 'BFQ and loop0'),
    always: new RegExp(
      `config-linux/cgroups(-(?!v1)[a-z0-9-]+)?\\.test|config/apparmor\\.test|systemd/|${LIMITS.source}|${VERBS.source}|${KERNELS.source}`,
    ),
  },
  {
    name: 'selinux',
    kernel: 'trixie',
    cgroup: 'v2',
    cmdline: 'security=selinux',
    planner: 'on',
    provides: allOf(V2, LINUX, 'BFQ and loop0', 'selinux', 'a kernel without AppArmor', 'criu', 'memory tracking'),
    always: new RegExp(`config/selinux\\.test|config-linux/mount-label\\.test|${KERNELS.source}`),
  },
  {
    name: 'oldest',
    kernel: 'bookworm',
    cgroup: 'v2',
    cmdline: 'module_blacklist=bfq',
    planner: 'off',
    provides: allOf(V2, LINUX, 'apparmor'),
    always: KERNELS,
  },
  {
    name: 'v1',
    kernel: 'bookworm',
    cgroup: 'v1',
    cmdline: 'module_blacklist=bfq',
    planner: 'on',
    provides: allOf(V1, LINUX),
    always: new RegExp(
      `cgroups-v1\\.test.*(#network|weight that the host cannot set|: limit$)|${SYSTEMD.source}|${VERBS.source}`,
    ),
  },
  {
    name: 'hybrid',
    kernel: 'bookworm',
    cgroup: 'hybrid',
    cmdline: 'module_blacklist=bfq',
    planner: 'on',
    provides: allOf(V1, LINUX),
    always: new RegExp(
      `${SYSTEMD.source}|limits-effects\\.test.*(is killed|fork fails|kill --all)|update-memory\\.test.*page cache|${VERBS.source}`,
    ),
  },
]

/** What a person calls it. */
export const describeMachine = ({ name, kernel, cgroup, cmdline }: Machine): string =>
  `virtual machine "${name}": Linux of Debian ${kernel}, systemd, cgroup ${cgroup}${cmdline === '' ? '' : `, ${cmdline}`}`
