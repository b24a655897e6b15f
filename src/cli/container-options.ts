import { resolve } from 'node:path'
import type { CreateOptions } from '../container/create'
import { defaultRoot } from '../container/root'
import { quote } from '../errors'
import type { CgroupManager, RootlessMode } from '../host/facts'
import type { OptionTable, OptionValues } from './options'
import { UsageError } from './parse'
import type { Call } from './verb'

/** What create and run have in common. */
export const CONTAINER_OPTIONS = {
  bundle: {
    type: 'string',
    short: 'b',
    value: 'DIR',
    description: 'the bundle: the directory that holds config.json (default: the working directory)',
  },
  config: {
    type: 'string',
    short: 'f',
    value: 'FILE',
    description: 'the configuration, relative to the bundle (default: config.json)',
  },
  'console-socket': {
    type: 'string',
    value: 'SOCKET',
    description: "AF_UNIX socket that is sent the master of the container's terminal",
  },
  'pidfd-socket': {
    type: 'string',
    value: 'SOCKET',
    description: "AF_UNIX socket that is sent a pidfd of the container's process",
  },
  'pid-file': { type: 'string', value: 'FILE', description: 'write the process id of the container to this file' },
  'no-pivot': { type: 'boolean', description: 'move the root over / instead of pivot_root, for roots on a ramdisk' },
  'no-new-keyring': { type: 'boolean', description: "keep the caller's session keyring" },
  'preserve-fds': {
    type: 'string',
    value: 'N',
    description: 'pass N descriptors from 3 on, behind those of LISTEN_FDS (default: 0)',
  },
  'dry-run': { type: 'boolean', description: 'print the plan as JSON and change nothing' },
} as const satisfies OptionTable

type ContainerValues = OptionValues<typeof CONTAINER_OPTIONS>

/** More descriptors than a process may have by default on any distribution. */
const MOST_FDS = 1 << 20

export function preserveFds(value: string | undefined): number {
  const count = /^\d{1,7}$/.test(value ?? '0') ? Number(value ?? '0') : Number.NaN
  if (!(count <= MOST_FDS)) throw new UsageError(`invalid value ${quote(value ?? '')} of --preserve-fds: a number`)
  return count
}

const isManager = (value: string): value is CgroupManager =>
  value === 'cgroupfs' || value === 'systemd' || value === 'disabled'

/** --systemd-cgroup is runc's word for --cgroup-manager systemd. Errors: UsageError where the two differ. */
function cgroupManager({ globals }: Call): CgroupManager {
  const systemd = globals['systemd-cgroup']
  const manager = globals['cgroup-manager'] ?? (systemd ? 'systemd' : 'cgroupfs')
  if (!isManager(manager)) throw new UsageError(`invalid value ${quote(manager)} of --cgroup-manager`)
  if (systemd && manager !== 'systemd') {
    throw new UsageError(`--systemd-cgroup and --cgroup-manager ${manager} say two different things`)
  }
  return manager
}

/** The parser has let through only these. */
const rootlessMode = (value: string | undefined): RootlessMode =>
  value === 'true' || value === 'false' ? value : 'auto'

export const absolute = (cwd: string, path: string | undefined): string | undefined =>
  path === undefined || path === '' ? undefined : resolve(cwd, path)

/** The flags as the library takes them. Errors: UsageError. */
export function createOptions(call: Call, values: ContainerValues, detach: boolean): CreateOptions {
  const { cwd, environment } = call
  return {
    id: call.positionals[0] ?? '',
    bundle: resolve(cwd, values.bundle ?? '.'),
    configFile: values.config,
    root: absolute(cwd, call.globals.root) ?? defaultRoot(environment),
    noPivot: values['no-pivot'],
    noNewKeyring: values['no-new-keyring'],
    preserveFds: preserveFds(values['preserve-fds']),
    pidFile: absolute(cwd, values['pid-file']),
    consoleSocket: absolute(cwd, values['console-socket']),
    pidfdSocket: absolute(cwd, values['pidfd-socket']),
    detach,
    cgroupManager: cgroupManager(call),
    rootless: rootlessMode(call.globals.rootless),
    environment,
    caller: call.handoff?.caller ?? { fds: [0, 1, 2], pid: process.pid },
  }
}
