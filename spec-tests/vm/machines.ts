/** One way to start the virtual machine, and the tests that it runs besides those that the host lacks something for. */
export interface Machine {
  readonly name: string
  /** Suite of the kernel: spec-tests/vm/build. */
  readonly kernel: 'trixie' | 'bookworm' | 'sid'
  readonly cgroup: 'v2' | 'v1' | 'hybrid'
  /** More words of the kernel's command line. */
  readonly cmdline: string
  /** Whether it runs what neither the host nor a machine before it could run. */
  readonly unmet: boolean
  /** Tests that it runs in any case, by path and title. */
  readonly always: RegExp | undefined
}

/** Everything that depends on the version of cgroups. */
const CGROUPS = /config-linux\/cgroups(-(?!v1)[a-z0-9-]+)?\.test\.ts/

/** What kernels do differently, one or two tests of each: it is the kernel that is tried, not the subject. */
const KERNELS =
  /timeOffsets are|a negative offset|cgroups-v2.*(: limit is memory\.max|is denied cannot)|status goes from created to running/

/** In this order. Each costs a boot the first time, half a minute of two processors; tests cost some seconds each. */
export const MACHINES: readonly Machine[] = [
  { name: 'v2', kernel: 'trixie', cgroup: 'v2', cmdline: '', unmet: true, always: CGROUPS },
  { name: 'v1', kernel: 'trixie', cgroup: 'v1', cmdline: '', unmet: true, always: undefined },
  { name: 'oldest', kernel: 'bookworm', cgroup: 'v2', cmdline: '', unmet: false, always: KERNELS },
  { name: 'newest', kernel: 'sid', cgroup: 'v2', cmdline: '', unmet: false, always: KERNELS },
]

/** What a person calls it. */
export const describeMachine = ({ name, kernel, cgroup }: Machine): string =>
  `virtual machine "${name}": Linux of Debian ${kernel}, systemd, cgroup ${cgroup}`
