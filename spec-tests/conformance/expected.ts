import { existsSync } from 'node:fs'
import { cgroupVersion, hierarchyOf } from '../lib/cgroups'
import { hasCapability } from '../lib/requires'

export type Peer = 'tsrunc' | 'runc' | 'crun'

export const PEERS: readonly Peer[] = ['tsrunc', 'runc', 'crun']

/** The versions of the peers that the table is about; of others the results are told, not judged. */
export const TABLE_VERSIONS: Readonly<Partial<Record<Peer, RegExp>>> = { runc: /^1\.1\.5\b/, crun: /^1\.8\.1\b/ }

/** A program that not everybody passes. Programs without a line pass. */
export interface Expectation {
  /** Those that fail. */
  readonly fails: readonly Peer[]
  /** Those that pass or fail by the moment: they get several tries, and one has to pass. */
  readonly sometimes?: readonly Peer[]
  /** The same, but every try may fail. */
  readonly varies?: readonly Peer[]
  /** Why. Where tsrunc fails: what is wrong with the program, or what the host lacks. */
  readonly why: string
  /** Hosts on which the line holds; on others the program passes. */
  readonly where?: () => boolean
}

/** Whether the program can be judged here: those about cgroups look for the files of v1. */
export const isForThisHost = (program: string): boolean =>
  cgroupVersion() === 1 || !/^(linux_cgroups_|delete_resources|delete_only_create_resources)/.test(program)

const blkio = hierarchyOf('blkio')

const leafWeight = {
  fails: PEERS,
  why: 'the kernel has no blkio.leaf_weight, since Linux 5.0',
  where: () => blkio === undefined || !existsSync(`${blkio.mount}/blkio.leaf_weight`),
} as const satisfies Expectation

const kernelMemory = {
  fails: PEERS,
  why: 'a limit of kernel memory has no effect since Linux 5.16; tsrunc warns',
} as const satisfies Expectation

const deviceList = {
  fails: ['runc'],
  why: 'runc writes its own default devices between the entries of the list',
} as const satisfies Expectation

/** crun writes the state to a hook that may have ended already, and does not expect SIGPIPE. */
const brokenPipe: readonly Peer[] = ['crun']

export const EXPECTED: Readonly<Record<string, Expectation>> = {
  delete: {
    fails: PEERS,
    why: 'delete of a container that is created is to be refused, but every engine relies on it',
  },
  hooks: {
    fails: PEERS,
    why: 'the hooks write "post-start1 called", the program compares with "post-start1"; it cannot pass',
  },
  hooks_stdin: { fails: ['runc'], why: 'runc says "creating" to prestart' },
  killsig: {
    fails: [],
    sometimes: PEERS,
    why: 'the program sends the signal at once; PID 1 ignores it until its shell has set the trap',
  },
  linux_cgroups_blkio: leafWeight,
  linux_cgroups_relative_blkio: leafWeight,
  linux_cgroups_devices: deviceList,
  linux_cgroups_relative_devices: deviceList,
  linux_cgroups_memory: kernelMemory,
  linux_cgroups_relative_memory: kernelMemory,
  linux_mount_label: {
    fails: ['tsrunc', 'runc'],
    why: 'the kernel has no SELinux; crun takes the label and does nothing',
    where: () => !existsSync('/sys/fs/selinux/enforce'),
  },
  linux_process_apparmor_profile: {
    fails: PEERS,
    why: 'the profile acme_secure_profile is loaded on no host',
  },
  linux_rootfs_propagation: { fails: ['runc'], why: 'runc cannot make a root shared in a private mount namespace' },
  linux_seccomp: {
    fails: ['runc'],
    why: 'the profile refuses getcwd, which runc itself calls after it has loaded the filter',
  },
  misc_props: { fails: PEERS, why: 'the program does not copy runtimetest into the root, and wants it to run' },
  mounts: {
    fails: ['tsrunc'],
    why: 'the program gives bind mounts the option mode=755 of tmpfs, which nothing can apply; tsrunc refuses, as runc does since 1.2',
  },
  pidfile: {
    fails: [],
    varies: PEERS,
    why: 'the program sends a signal to "true", and fails when it has ended already',
  },
  poststart: {
    fails: ['runc'],
    sometimes: ['tsrunc', 'crun'],
    why: 'runc runs poststart before the program; the program wants the container to have written before the hook, which both start at once',
  },
  poststart_fail: {
    fails: ['tsrunc', 'runc'],
    sometimes: brokenPipe,
    why: 'older than 1.3.0 of the specification, in which a failure of poststart became fatal',
  },
  poststop: { fails: [], sometimes: brokenPipe, why: 'crun ends by SIGPIPE when a hook does not read the state' },
  poststop_fail: { fails: ['runc'], sometimes: brokenPipe, why: 'runc does not run the hooks after one that fails' },
  prestart: {
    fails: PEERS,
    why: 'wants prestart at start; the specification has had it at create since 1.0.0',
  },
  prestart_fail: { fails: [], sometimes: brokenPipe, why: 'crun ends by SIGPIPE when a hook does not read the state' },
  process_capabilities: {
    fails: PEERS,
    why: 'asks for CAP_SYS_RESOURCE, which the caller does not have here; tsrunc warns, as the specification has it',
    where: () => !hasCapability('CAP_SYS_RESOURCE'),
  },
  process_capabilities_fail: {
    fails: PEERS,
    why: 'older than 1.1.0 of the specification, in which an unknown capability became a warning',
  },
  process_rlimits: {
    fails: PEERS,
    why: 'Go raises RLIMIT_NOFILE in runtimetest, so the program does not see the value it was started with',
  },
  start: {
    fails: PEERS,
    why: 'the program wants start of a container without process to succeed, of which its own message says the opposite',
  },
}
