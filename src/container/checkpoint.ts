import { type BigIntStats, existsSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { quote, TsruncError } from '../errors'
import { type CheckpointOptions, planCheckpoint, type RunningContainer, type Stream } from '../plan/criu/checkpoint'
import { parseMountInfo } from '../plan/criu/mountinfo'
import { NAMESPACE_KEYS } from '../plan/criu/options'
import type { Plan } from '../plan/plan'
import { NAMESPACES } from '../tables/namespaces'
import { checkFeature, checkLazyPages, checkVersion, configOf } from './criu'
import { readSaved, type SavedContainer } from './saved'

const FIRST_STREAMS = [0, 1, 2]
const NO_STREAM: Stream = { link: '', mountId: 0, key: '' }

/** Names of terminals of the host. */
const TERMINAL = /^\/dev\/(?:pts\/\d+|tty\w*|console)$/

/** criu(8) --external: numbers in hexadecimal digits. */
function externalKey(link: string, mountId: number, about: BigIntStats): string {
  const hex = (number: bigint): string => number.toString(16)
  if (about.isCharacterDevice() && TERMINAL.test(link)) return `tty[${hex(about.rdev)}:${hex(about.dev)}]`
  return about.isFile() || about.isCharacterDevice() ? `file[${mountId.toString(16)}:${hex(about.ino)}]` : ''
}

/** Undefined, as a closed stream is, where it cannot be looked at. */
function readStream(pid: number, fd: number): Stream {
  try {
    const link = readlinkSync(`/proc/${pid}/fd/${fd}`)
    const [, digits = '0'] = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) ?? []
    const mountId = Number(digits)
    const about = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true })
    return { link, mountId, key: externalKey(link, mountId, about) }
  } catch {
    return NO_STREAM
  }
}

function joinedNamespaces({ spec, process: { pid } }: SavedContainer): RunningContainer['joined'] {
  const joined: Partial<Record<keyof typeof NAMESPACE_KEYS, bigint>> = {}
  for (const { type, path = '' } of spec.linux?.namespaces ?? []) {
    if (path === '' || !(type in NAMESPACE_KEYS)) continue
    const { file } = NAMESPACES[type]
    const own = statSync(`/proc/${pid}/ns/${file}`, { bigint: true }).ino
    // The caller's own is none to leave out: CRIU is in it too.
    if (own !== statSync(`/proc/self/ns/${file}`, { bigint: true }).ino)
      joined[type as keyof typeof NAMESPACE_KEYS] = own
  }
  return joined
}

/** cgroups(7): the freezer of v1, or the file of v2. */
const FREEZER_FILES = ['freezer.state', 'cgroup.freeze']

const freezerOf = ({ header }: SavedContainer): string =>
  header.cgroupPaths.find((path) => FREEZER_FILES.some((file) => existsSync(join(path, file)))) ?? ''

/** cgroups(7) "/proc/PID/cgroup": lines of "hierarchy:controllers:path"; those of v2 are "0::path". */
const controllersOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .flatMap((line) => line.split(':')[1]?.split(',') ?? [])
    .filter((controller) => controller !== '')

/** Errors: NOT_RUNNING. */
function lookAt(saved: SavedContainer): RunningContainer {
  const { pid } = saved.process
  try {
    return {
      header: saved.header,
      rootfs: saved.rootfs,
      pid,
      mounts: parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')),
      hostMounts: parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')),
      streams: FIRST_STREAMS.map((fd) => readStream(pid, fd)),
      freezer: freezerOf(saved),
      controllers: controllersOf(pid),
      joined: joinedNamespaces(saved),
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // EINVAL: mountinfo of a process that has ended and was not reaped.
    if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'EINVAL') throw cause
    throw new TsruncError('NOT_RUNNING', `container "${saved.id}" is not running: there is nothing to save`, { cause })
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** runc's rule too: the images of a chain are moved together. Errors: CHECKPOINT. */
function checkParent({ imagePath, parentPath }: CheckpointOptions): void {
  if (parentPath === '' || isDirectory(join(imagePath, parentPath))) return
  const base = quote(imagePath)
  throw new TsruncError('CHECKPOINT', `--parent-path: ${quote(parentPath)}, from ${base} on, is not a directory`)
}

/** Errors: CRIU_FEATURE. */
function checkFeatures({ criu, environment, preDump, parentPath, lazyPages }: CheckpointOptions): void {
  if (preDump || parentPath !== '') {
    const flag = preDump ? '--pre-dump' : '--parent-path'
    const purpose = 'the kernel tells which pages were written since'
    checkFeature(criu, environment, { flag, feature: 'mem_dirty_track', purpose })
  }
  if (lazyPages) checkLazyPages(criu, environment)
}

/**
 * Decide how a container is saved.
 *
 * Errors: those of readSaved; CRIU_VERSION, CRIU_FEATURE, CHECKPOINT, NOT_RUNNING.
 */
export function planCheckpointOf(root: string, id: string, options: CheckpointOptions): Plan {
  const saved = readSaved(root, id)
  const container = lookAt(saved)
  checkParent(options)
  checkVersion(options.criu, options.environment)
  checkFeatures(options)
  return planCheckpoint({ ...options, configFile: configOf(saved.spec) }, container)
}
