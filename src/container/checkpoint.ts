import {
  type BigIntStats,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { quote, TsruncError } from '../errors'
import { type CheckpointOptions, planCheckpoint, type RunningContainer, type Stream } from '../plan/criu/checkpoint'
import { type MountInfo, parseMountInfo } from '../plan/criu/mountinfo'
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

/** open(2): a hold of the file, whatever it is, that does not open it. */
const O_PATH = 0o10000000

function describe(fd: number): Stream {
  const link = readlinkSync(`/proc/self/fd/${fd}`)
  const [, digits = '0'] = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? []
  const mountId = Number(digits)
  return { link, mountId, key: externalKey(link, mountId, fstatSync(fd, { bigint: true })) }
}

/** None, as a closed stream is, where it cannot be looked at. Held meanwhile: the process goes on. */
function readStream(pid: number, fd: number): Stream {
  try {
    const held = openSync(`/proc/${pid}/fd/${fd}`, O_PATH)
    try {
      return describe(held)
    } finally {
      closeSync(held)
    }
  } catch {
    return NO_STREAM
  }
}

/** A command of a shell has its file for less than that, mostly. */
const LOOKS = 20
const BETWEEN_LOOKS_MILLISECONDS = 2

/**
 * The first process's standard streams. A shell that redirects one of its own commands (`echo >FILE`) has the file in a stream's
 * place for as long, and the stream elsewhere: one that seems to be a file of the container is looked at again.
 */
function readStreams(pid: number, mounts: readonly MountInfo[]): readonly Stream[] {
  const inside = new Set(mounts.map(({ id }) => id))
  const streams = FIRST_STREAMS.map((fd) => readStream(pid, fd))
  for (let look = 1; look < LOOKS && streams.some(({ mountId }) => inside.has(mountId)); look++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN_LOOKS_MILLISECONDS)
    for (const [fd, before] of streams.entries()) {
      const now = inside.has(before.mountId) ? readStream(pid, fd) : before
      if (now.link !== '' && !inside.has(now.mountId)) streams[fd] = now
    }
  }
  return streams
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
    const mounts = parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'))
    return {
      header: saved.header,
      rootfs: saved.rootfs,
      pid,
      mounts,
      hostMounts: parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')),
      streams: readStreams(pid, mounts),
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
