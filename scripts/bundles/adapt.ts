import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { EngineConfig, Hook, Mount } from './config'
import { numeric } from './exact_json'
import { NeighbourNamespaces } from './namespaces'
import { Place } from './place'

/** The line that the container's program prints first. */
export const MARK = 'the container runs'
const PROGRAM = `echo "${MARK}"; id; echo "pid $$ on $(hostname)"; mount | wc -l`

export interface Adapted {
  /** What was replaced, for the report. */
  readonly notes: readonly string[]
  /** Files in which hooks put the state that they were given. */
  readonly hookRecords: readonly string[]
  /** To be removed afterwards. */
  readonly neighbour: NeighbourNamespaces | undefined
}

/** Replaces, in place, what only exists on the machine that the configuration comes from; keeps everything else. */
export async function adapt(config: EngineConfig, place: Place): Promise<Adapted> {
  const notes = [...adaptRoot(config, place), ...adaptProcess(config, place)]
  notes.push(...(config.mounts ?? []).flatMap((mount, index) => adaptMount(mount, index, place)))
  const records: string[] = []
  notes.push(...adaptHooks(config.hooks ?? {}, place, records))
  if (config.linux?.cgroupsPath !== undefined) {
    config.linux.cgroupsPath = `/${place.cgroup}`
    notes.push('linux.cgroupsPath: its own')
  }
  const neighbour = await adaptNamespaces(config, place, notes)
  notes.push(...adaptOwners(config, place))
  return { notes, hookRecords: records, neighbour }
}

function adaptRoot(config: EngineConfig, place: Place): string[] {
  if (config.root?.path === 'rootfs') return []
  config.root = { ...config.root, path: place.rootfs }
  return ['root.path: busybox']
}

function adaptProcess(config: EngineConfig, place: Place): string[] {
  const { process } = config
  if (process === undefined) return []
  process.args = ['/bin/sh', '-c', PROGRAM]
  const notes = ['process.args: a shell that reports']
  if (process.cwd !== undefined) mkdirSync(join(place.rootfs, process.cwd), { recursive: true })
  for (const limit of process.rlimits ?? []) {
    const most = ownHardLimit(limit.type)
    if (numeric(limit.hard) <= most) continue
    limit.hard = most
    if (numeric(limit.soft) > most) limit.soft = most
    notes.push(`${limit.type}: ${most}, more than that nobody gets here`)
  }
  return notes
}

/** The names of proc_pid_limits(5), by the part after RLIMIT_. */
const LIMIT_LINES: Readonly<Record<string, string>> = {
  ...{ AS: 'address space', CORE: 'core file size', CPU: 'cpu time', DATA: 'data size', FSIZE: 'file size' },
  ...{ LOCKS: 'file locks', MEMLOCK: 'locked memory', MSGQUEUE: 'msgqueue size', NICE: 'nice priority' },
  ...{ NOFILE: 'open files', NPROC: 'processes', RSS: 'resident set', RTPRIO: 'realtime priority' },
  ...{ RTTIME: 'realtime timeout', SIGPENDING: 'pending signals', STACK: 'stack size' },
}
const CAP_SYS_RESOURCE = 24n

/** What this process may ask for at most: setrlimit(2) lets only CAP_SYS_RESOURCE raise a hard limit. */
function ownHardLimit(type: string): number {
  const capabilities = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  if ((BigInt(`0x${capabilities}`) >> CAP_SYS_RESOURCE) & 1n) return Number.POSITIVE_INFINITY
  const name = LIMIT_LINES[type.replace('RLIMIT_', '')]
  const line = new RegExp(`^Max ${name} +\\S+ +(\\S+)`, 'm').exec(readFileSync('/proc/self/limits', 'utf8'))
  return line?.[1] === undefined || line[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line[1])
}

/** Paths that every Linux host has. */
const OF_EVERY_HOST = /^\/(proc|sys|dev)(\/|$)/

function adaptMount(mount: Mount, index: number, place: Place): string[] {
  const isBind =
    mount.type === 'bind' || (mount.options ?? []).some((option) => option === 'bind' || option === 'rbind')
  if (!isBind || mount.source === undefined || OF_EVERY_HOST.test(mount.source)) return []
  const name = `sources/${index}-${basename(mount.destination)}`
  const isFile = /^\/etc\/|\/\.containerenv$/.test(mount.destination)
  mount.source = isFile ? place.file(name, `${mount.destination}\n`) : place.directory(name)
  return [`mounts/${index} (${mount.destination}): source is an own ${isFile ? 'file' : 'folder'}`]
}

function adaptHooks(hooks: Record<string, Hook[]>, place: Place, records: string[]): string[] {
  return Object.entries(hooks).flatMap(([kind, list]) =>
    list.map((hook, index) => {
      // startContainer hooks are found in the container, where the recorder is not: config.md "POSIX-platform Hooks".
      const isInside = kind === 'startContainer'
      hook.path = isInside ? '/bin/true' : recorder(`${kind}-${index}`, place, records)
      if (isInside) hook.args = ['true'] // busybox goes by this name
      return `hooks.${kind}[${index}]: a program that records the state it is given`
    }),
  )
}

function recorder(name: string, place: Place, records: string[]): string {
  const record = place.file(`hooks/${name}.json`)
  const program = place.file(`hooks/${name}`, `#!/bin/sh\nexec /bin/cat > "${record}"\n`)
  chmodSync(program, 0o755)
  records.push(record)
  return program
}

async function adaptNamespaces(
  config: EngineConfig,
  place: Place,
  notes: string[],
): Promise<NeighbourNamespaces | undefined> {
  const joined = (config.linux?.namespaces ?? []).filter(({ path }) => path !== undefined)
  if (joined.length === 0) return undefined
  const types = joined.map(({ type }) => type)
  const neighbour = await NeighbourNamespaces.make(place, types)
  for (const namespace of joined) {
    if (namespace.path !== undefined) namespace.path = neighbour.path(namespace.type, namespace.path)
  }
  notes.push(`linux.namespaces: ${types.join(', ')} of a process of our own`)
  return neighbour
}

/** Engines give the root file system to the user that the container's root is on the host. */
function adaptOwners(config: EngineConfig, place: Place): string[] {
  const root = (mappings = [{ containerID: 0, hostID: 0, size: 1 }]) =>
    mappings.find(({ containerID }) => containerID === 0)?.hostID ?? 0
  const uid = root(config.linux?.uidMappings)
  const gid = root(config.linux?.gidMappings)
  if (uid === 0 && gid === 0) return []
  Place.give(place.rootfs, uid, gid)
  Place.give(place.directory('sources'), uid, gid)
  return [`root file system and sources belong to ${uid}:${gid}`]
}
