import { existsSync } from 'node:fs'
import { seccompProfile } from './seccomp_profile'

/** What differs between the bundles of the benchmark. */
export interface ConfigChoice {
  /** Absolute path of the root file system. */
  readonly rootfs: string
  readonly cgroupsPath: string
  readonly args: readonly string[]
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const INERT = ['nosuid', 'noexec', 'nodev']
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']
const MASKED_PATHS = [
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
]

/** Root and five namespaces, as the configuration that the verb `spec` writes, but without a terminal. */
export function defaultConfig(choice: ConfigChoice) {
  const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: choice.args,
      env: [PATH, 'TERM=xterm'],
      cwd: '/',
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
        ambient: capabilities,
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: choice.rootfs, readonly: true },
    hostname: 'bench',
    mounts: defaultMounts(['size=65536k']),
    linux: {
      cgroupsPath: choice.cgroupsPath,
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: namespaces(),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  }
}

/** What an engine such as Docker asks for by default: fourteen capabilities, a device list, limits, sysctls, a writable
 *  root, and a seccomp profile that denies what it does not name. `syscalls`: the names libseccomp knows here. */
export function engineConfig(choice: ConfigChoice, syscalls: readonly string[]) {
  const base = defaultConfig(choice)
  return {
    ...base,
    process: { ...base.process, capabilities: engineCapabilities(), rlimits: [], noNewPrivileges: false },
    root: { path: choice.rootfs, readonly: false },
    mounts: defaultMounts(['size=67108864']),
    linux: {
      ...base.linux,
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' },
      resources: {
        devices: [{ allow: false, access: 'rwm' }, ...ENGINE_DEVICES.map((device) => ({ allow: true, ...device }))],
        memory: { limit: 536870912 },
        cpu: { shares: 512 },
        pids: { limit: 1024 },
      },
      seccomp: seccompProfile(syscalls),
    },
  }
}

const ENGINE_DEVICES = [
  { type: 'c', major: 1, minor: 5, access: 'rwm' },
  { type: 'c', major: 1, minor: 3, access: 'rwm' },
  { type: 'c', major: 1, minor: 9, access: 'rwm' },
  { type: 'c', major: 1, minor: 8, access: 'rwm' },
  { type: 'c', major: 5, minor: 0, access: 'rwm' },
  { type: 'c', major: 5, minor: 1, access: 'rwm' },
]

function engineCapabilities() {
  const names = [
    ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP'],
    ...['NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
  ].map((name) => `CAP_${name}`)
  return { bounding: names, effective: names, permitted: names }
}

function defaultMounts(shmOptions: readonly string[]) {
  return [
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
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...INERT, 'mode=1777', ...shmOptions] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: INERT },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...INERT, 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...INERT, 'relatime', 'ro'] },
  ]
}

/** A namespace of its own for cgroups is the default where the host has the unified hierarchy, as with runc. */
function namespaces() {
  const types = ['pid', 'network', 'ipc', 'uts', 'mount']
  return [...types, ...(existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['cgroup'] : [])].map((type) => ({ type }))
}
