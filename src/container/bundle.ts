import { closeSync, constants, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { quote, TsruncError } from '../errors'

const CONFIG = 'config.json'

/** The errno's text as engines look for it in a runtime's message. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
}

function reason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const text = REASONS[code]
  return text === undefined ? message : `${text}: ${code}`
}

function realDirectory(path: string): string {
  const real = realpathSync.native(path)
  if (!statSync(real).isDirectory()) {
    throw Object.assign(new Error(`${real} is not a directory`), { code: 'ENOTDIR' })
  }
  return real
}

/** The bundle's path without symlinks (bundle.md). Errors: BUNDLE. */
export function resolveBundle(path: string): string {
  try {
    return realDirectory(path)
  } catch (cause) {
    throw new TsruncError('BUNDLE', `bundle ${quote(path)}: ${reason(cause)}`, { cause })
  }
}

export interface ConfigFile {
  /** How messages name it. */
  readonly path: string
  readonly bytes: Uint8Array
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

/** Read the configuration. `name`: relative to the bundle, or absolute. Errors: CONFIG_FILE. */
export function readConfig(bundle: string, name: string | undefined): ConfigFile {
  const path = resolve(bundle, name ?? CONFIG)
  try {
    return { path: name ?? CONFIG, bytes: readRegularFile(path) }
  } catch (cause) {
    const hint = name === undefined ? ' (tsrunc spec writes one to start from)' : ''
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? hint : ''
    throw new TsruncError('CONFIG_FILE', `${quote(path)}: ${reason(cause)}${missing}`, { cause })
  }
}

/** The directory of the root file system, without symlinks (config.md "Root"). Errors: ROOTFS. */
export function resolveRootfs(bundle: string, path: string): string {
  try {
    return realDirectory(resolve(bundle, path))
  } catch (cause) {
    const from = `root file system ${quote(resolve(bundle, path))}`
    const pointer = '/root/path'
    throw new TsruncError('ROOTFS', `${from}: ${reason(cause)} (config.json ${pointer})`, { pointer, cause })
  }
}
