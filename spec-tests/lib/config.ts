import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root: everything else is found from here. */
export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/**
 * config.json as the tests write it. What the base configuration always has is not optional, so that a test can change
 * it without asking whether it is there; a value that the specification does not allow goes through {@link bad}.
 */
export interface Config {
  ociVersion: string
  root: { path: string; readonly?: boolean }
  process: Process
  hostname?: string
  domainname?: string
  mounts: Mount[]
  hooks?: Hooks
  annotations?: Record<string, string>
  linux: Linux
}

export interface Process {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[] }
  args: string[]
  env: string[]
  cwd: string
  capabilities: Capabilities
  rlimits: { type: string; soft: number; hard: number }[]
  noNewPrivileges?: boolean
  apparmorProfile?: string
  selinuxLabel?: string
  oomScoreAdj?: number
  scheduler?: Scheduler
  ioPriority?: { class: string; priority?: number }
  execCPUAffinity?: { initial?: string; final?: string }
}

export interface Scheduler {
  policy: string
  nice?: number
  priority?: number
  flags?: string[]
  runtime?: number
  deadline?: number
  period?: number
}

export interface Capabilities {
  bounding?: string[]
  effective?: string[]
  inheritable?: string[]
  permitted?: string[]
  ambient?: string[]
}

export interface Mount {
  destination: string
  type?: string
  source?: string
  options?: string[]
  uidMappings?: IdMapping[]
  gidMappings?: IdMapping[]
}

export interface Hook {
  path: string
  args?: string[]
  env?: string[]
  timeout?: number
}

export type HookName = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop'

export type Hooks = Partial<Record<HookName, Hook[]>>

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

export interface IdMapping {
  containerID: number
  hostID: number
  size: number
}

export interface Device {
  type: string
  path: string
  major?: number
  minor?: number
  fileMode?: number
  uid?: number
  gid?: number
}

export interface Linux {
  namespaces: { type: NamespaceType; path?: string }[]
  uidMappings?: IdMapping[]
  gidMappings?: IdMapping[]
  timeOffsets?: Record<string, { secs?: number; nanosecs?: number }>
  devices?: Device[]
  netDevices?: Record<string, { name?: string }>
  cgroupsPath?: string
  resources: Resources
  rootfsPropagation?: string
  seccomp?: Seccomp
  sysctl?: Record<string, string>
  mountLabel?: string
  maskedPaths?: string[]
  readonlyPaths?: string[]
  intelRdt?: {
    closID?: string
    l3CacheSchema?: string
    memBwSchema?: string
    schemata?: string[]
    enableMonitoring?: boolean
    enableCMT?: boolean
    enableMBM?: boolean
  }
  personality?: { domain: string; flags?: string[] }
  memoryPolicy?: { mode: string; nodes?: string; flags?: string[] }
}

export interface Resources {
  devices?: { allow: boolean; type?: string; major?: number; minor?: number; access?: string }[]
  memory?: Record<string, number | boolean>
  cpu?: Record<string, number | string>
  pids?: { limit: number }
  blockIO?: {
    weight?: number
    leafWeight?: number
    weightDevice?: { major: number; minor: number; weight?: number; leafWeight?: number }[]
    throttleReadBpsDevice?: Throttle[]
    throttleWriteBpsDevice?: Throttle[]
    throttleReadIOPSDevice?: Throttle[]
    throttleWriteIOPSDevice?: Throttle[]
  }
  hugepageLimits?: { pageSize: string; limit: number }[]
  network?: { classID?: number; priorities?: { name: string; priority: number }[] }
  rdma?: Record<string, { hcaHandles?: number; hcaObjects?: number }>
  unified?: Record<string, string>
}

export interface Throttle {
  major: number
  minor: number
  rate: number
}

export interface Seccomp {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  flags?: string[]
  listenerPath?: string
  listenerMetadata?: string
  syscalls?: SeccompRule[]
}

export interface SeccompRule {
  names: string[]
  action: string
  errnoRet?: number
  args?: { index: number; value: number; valueTwo?: number; op: string }[]
}

/** A value that the types above rightly refuse, for the tests of what a runtime must refuse too. */
export const bad = <T>(value: unknown): T => value as T

/** A number that JavaScript cannot hold exactly, written into config.json with these digits. */
export const digits = (text: string): number => bad<number>(`\u0000digits:${text}`)

/** config.json's bytes: JSON, with the numbers made by {@link digits} in full. */
export const encodeConfig = (config: unknown): string =>
  JSON.stringify(config, null, 1).replace(/"\\u0000digits:([^"]+)"/g, '$1')

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']

/** What `spec` writes for a container of root, without a terminal, with the cgroup of the caller's choice. */
export const baseConfig = (cgroupsPath: string): Config => ({
  ociVersion: '1.0.2',
  root: { path: 'rootfs', readonly: true },
  process: {
    terminal: false,
    user: { uid: 0, gid: 0 },
    args: ['/bin/probe', 'report'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
    cwd: '/',
    capabilities: { bounding: [...CAPABILITIES], effective: [...CAPABILITIES], permitted: [...CAPABILITIES] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
    noNewPrivileges: true,
  },
  hostname: 'container',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  ],
  linux: {
    cgroupsPath,
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
    maskedPaths: [
      '/proc/acpi',
      '/proc/asound',
      '/proc/kcore',
      '/proc/keys',
      '/proc/latency_stats',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/proc/sched_debug',
      '/sys/firmware',
      '/proc/scsi',
    ],
    readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
  },
})
