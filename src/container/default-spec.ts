import type { Mount, Namespace, Spec } from '../spec/types'
import { OCI_VERSION_MAX } from '../tables/oci-version'

export interface DefaultSpecOptions {
  readonly rootless: boolean
  /** The caller, which a rootless container's root is mapped to. */
  readonly uid: number
  readonly gid: number
  /** The host has cgroup v2: the container gets a cgroup namespace. */
  readonly unifiedCgroups: boolean
}

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'] as const

const API_FLAGS = ['nosuid', 'noexec', 'nodev'] as const

function tmpfs(destination: string, source: string, options: readonly string[]): Mount {
  return { destination, type: 'tmpfs', source, options }
}

function mounts(rootless: boolean): readonly Mount[] {
  // Group 5 (tty) is not mapped in a user namespace of one group.
  const terminalGroup = rootless ? [] : ['gid=5']
  // sysfs can be mounted only by the owner of the network namespace, which a rootless container shares with the host.
  const sys: Mount = rootless
    ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...API_FLAGS, 'ro'] }
    : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...API_FLAGS, 'ro'] }
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    tmpfs('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...terminalGroup],
    },
    tmpfs('/dev/shm', 'shm', [...API_FLAGS, 'mode=1777', 'size=65536k']),
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: API_FLAGS },
    sys,
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...API_FLAGS, 'relatime', 'ro'] },
  ]
}

function namespaces({ rootless, unifiedCgroups }: DefaultSpecOptions): readonly Namespace[] {
  const types: Namespace['type'][] = rootless
    ? ['pid', 'ipc', 'uts', 'mount']
    : ['pid', 'network', 'ipc', 'uts', 'mount']
  if (unifiedCgroups) types.push('cgroup')
  if (rootless) types.push('user')
  return types.map((type) => ({ type }))
}

/** A configuration to start from: sh in ./rootfs with a terminal, a read-only root and few capabilities. */
export function defaultSpec(options: DefaultSpecOptions): Spec {
  const { rootless, uid, gid } = options
  const identity = rootless
    ? {
        uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
      }
    : { resources: { devices: [{ allow: false, access: 'rwm' }] } }
  return {
    ociVersion: OCI_VERSION_MAX,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'tsrunc',
    mounts: mounts(rootless),
    linux: {
      ...identity,
      namespaces: namespaces(options),
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
  }
}
