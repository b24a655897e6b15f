import { resolve } from 'node:path'
import { criuEnvironment, findCriu } from '../container/criu'
import { CGROUP_MODES, type CgroupMode, type CriuOptions, NETWORK_LOCKS, type NetworkLock } from '../plan/criu/options'
import type { OptionTable, OptionValues } from './options'
import { UsageError } from './parse'
import type { Call } from './verb'

/** What checkpoint and restore have in common. */
export const CRIU_OPTIONS = {
  'image-path': { type: 'string', value: 'DIR', description: 'directory of the images (default: ./checkpoint)' },
  'work-path': { type: 'string', value: 'DIR', description: "directory of CRIU's log (default: that of the images)" },
  'tcp-established': { type: 'boolean', description: 'allow TCP connections that are open' },
  'ext-unix-sk': { type: 'boolean', description: 'allow connections to UNIX sockets outside of the container' },
  'shell-job': { type: 'boolean', description: 'allow a session or a terminal from outside of the container' },
  'file-locks': { type: 'boolean', description: 'save and restore file locks' },
  'manage-cgroups-mode': {
    type: 'string',
    value: 'MODE',
    choices: ['ignore', 'none', 'props', 'soft', 'full', 'strict'],
    description: 'what CRIU does about cgroups (default: soft)',
  },
  'network-lock': {
    type: 'string',
    value: 'METHOD',
    choices: ['iptables', 'nftables', 'skip'],
    description: "what keeps packets away from the container's network meanwhile (default: iptables)",
  },
  'empty-ns': {
    type: 'strings',
    value: 'NAMESPACE',
    choices: ['network'],
    description: 'leave what is in this namespace to others; only network',
  },
  'auto-dedup': { type: 'boolean', description: 'take memory out of the images as soon as it is elsewhere' },
  'lazy-pages': { type: 'boolean', description: 'memory follows when it is needed, by userfaultfd' },
  criu: { type: 'string', value: 'FILE', description: 'the executable of CRIU (default: criu in PATH)' },
} as const satisfies OptionTable

const isLock = (value: string): value is NetworkLock => Object.hasOwn(NETWORK_LOCKS, value)
const isMode = (value: string): value is CgroupMode => Object.hasOwn(CGROUP_MODES, value)

/** Errors: UsageError, NO_CRIU. */
export function criuOptions(
  { cwd, environment }: Call,
  values: OptionValues<typeof CRIU_OPTIONS>,
): Omit<CriuOptions, 'configFile'> {
  const imagePath = resolve(cwd, values['image-path'] ?? 'checkpoint')
  const mode = values['manage-cgroups-mode'] ?? 'soft'
  if (!isMode(mode)) throw new UsageError(`invalid value "${mode}" of --manage-cgroups-mode`)
  const networkLock = values['network-lock'] ?? 'iptables'
  if (!isLock(networkLock)) throw new UsageError(`invalid value "${networkLock}" of --network-lock`)
  return {
    criu: findCriu(values.criu, environment),
    environment: criuEnvironment(environment),
    imagePath,
    workPath: values['work-path'] === undefined ? imagePath : resolve(cwd, values['work-path']),
    tcpEstablished: values['tcp-established'],
    extUnixSk: values['ext-unix-sk'],
    shellJob: values['shell-job'],
    fileLocks: values['file-locks'],
    cgroupMode: mode,
    networkLock,
    emptyNetwork: values['empty-ns'].length > 0,
    autoDedup: values['auto-dedup'],
    lazyPages: values['lazy-pages'],
  }
}
