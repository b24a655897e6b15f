import { closeSync, constants, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { readIn } from './input'
import { type Memory, NO_MEMORY } from './memory'

/** What only the caller's process can tell of a path: found by itself, or told to a planner by the caller. */
export interface Questions {
  /** Directories whose real path is wanted. */
  readonly directories: readonly string[]
  /** Files of namespaces whose identity is wanted. */
  readonly namespaces: readonly string[]
  /** Files of cgroups whose text is wanted. */
  readonly limits: readonly string[]
}

/** The files `plan` and `state` that create saved of a container. */
export interface SavedBytes {
  readonly plan: Uint8Array
  readonly state: Uint8Array
}

/**
 * How planning sees what belongs to the caller. Nothing in host/, container/ or plan/ looks at a path that the caller
 * named, or at /proc/self, in another way: a planner (planner/) is not the caller's process.
 */
export interface HostView {
  readonly memory: Memory
  /** proc(5)'s directory of the caller. Who asks for it looks beyond what the three below say. */
  readonly self: string
  /** What a file there says, as "cgroup" (cgroups(7)) and "attr/current". Errors: node's own. */
  ownText(name: string): string
  /** The identity of the caller's own namespace, as "net" (namespaces(7)): as namespaceIdentity has it. */
  ownNamespace(name: string): string | undefined
  /** What a file of the kernel's says, which is the same for everybody. Errors: node's own. */
  text(path: string): string
  /**
   * Says that planning looks at something else of the host that may be another the next time: neither a fact (memory) nor
   * one of these.
   */
  looksBeyond(): void
  /** Says what will be asked. Throws what the planner catches, where the answers are not there yet. */
  prepare(questions: Questions): void
  /** The bundle's path without symlinks. Errors: node's own, as all below. */
  bundleDirectory(path: string): string
  /** Bytes of the configuration, the process or the limits at `path`. */
  config(path: string): Uint8Array
  /** All of the standard input. */
  standardInput(): Uint8Array
  /** What the caller has read of the container that exec or update is about; undefined: it is read from disk. */
  readonly saved: SavedBytes | undefined
  /** A directory's path without symlinks. */
  realDirectory(path: string): string
  /** The identity of a namespace: "device:inode" of its file (namespaces(7)), or undefined where it cannot be read. */
  namespaceIdentity(path: string): string | undefined
  /** What a cgroup's file says, without the newline at its end; undefined: it is not there. */
  limit(path: string): string | undefined
}

function realDirectory(path: string): string {
  const real = realpathSync.native(path)
  if (!statSync(real).isDirectory()) {
    throw Object.assign(new Error(`${real} is not a directory`), { code: 'ENOTDIR' })
  }
  return real
}

/** Bytes of a configuration. Those of engines have some ten thousand; one with 10,000 mounts has two million. */
const MOST_BYTES = 16 << 20

/** What a file is that has no content of its own, which reading would wait for or never end with. */
function kindOf(file: Stats): string | undefined {
  if (file.isFIFO()) return 'a named pipe'
  if (file.isSocket()) return 'a socket'
  if (file.isCharacterDevice()) return 'a character device'
  return file.isBlockDevice() ? 'a block device' : undefined
}

/** Errors: node's own; EFBIG; EINVAL for what is neither a file nor a directory. */
function readRegularFile(path: string): Uint8Array {
  const found = statSync(path)
  const kind = kindOf(found)
  if (kind !== undefined) throw Object.assign(new Error(`is ${kind}, not a regular file`), { code: 'EINVAL' })
  if (found.size > MOST_BYTES) {
    const limit = `is too large: it has ${found.size} bytes, and at most ${MOST_BYTES} are read`
    throw Object.assign(new Error(limit), { code: 'EFBIG' })
  }
  // Should it have been replaced by a named pipe meanwhile, opening does not wait.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

function namespaceIdentity(path: string): string | undefined {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false })
    return found === undefined ? undefined : `${found.dev}:${found.ino}`
  } catch {
    // EACCES, ENOTDIR, ELOOP: the fact is absent, and entering the namespace will say why.
    return undefined
  }
}

function limit(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Of this process, which is the caller's. */
export const OWN_VIEW: HostView = {
  memory: NO_MEMORY,
  self: '/proc/self',
  ownText: (name) => readFileSync(`/proc/self/${name}`, 'utf8'),
  ownNamespace: (name) => namespaceIdentity(`/proc/self/ns/${name}`),
  text: (path) => readFileSync(path, 'utf8'),
  looksBeyond: () => undefined,
  prepare: () => undefined,
  bundleDirectory: realDirectory,
  config: readRegularFile,
  standardInput: readIn,
  saved: undefined,
  realDirectory,
  namespaceIdentity,
  limit,
}
