import { shownPointer, TsruncError } from '../../errors'
import type { Integer } from '../../spec/types'
import type { Op } from '../ops'
import { adviceFor, CHECKS, readBackOf, UNDO } from './read-back'

/** One value for one file of the container's cgroup, before it is known where the cgroup is. */
export interface Setting {
  /** The controller whose file it is, as in "memory"; '' for a file that every cgroup has ("cgroup.max.depth"). */
  readonly controller: string
  /** Name of the file, as in "memory.max". */
  readonly file: string
  readonly value: string
  /** The file and value that take their place where the kernel does not have the file. */
  readonly otherwise?: { readonly file: string; readonly value: string }
  /** Where the kernel does not have the file, the value is what holds anyway. */
  readonly ifAny?: boolean
  /** v2: the file with what is used by now, which must not be more than the value. */
  readonly usage?: string
  /** JSON pointer of the property that asked for it. */
  readonly pointer: string
  /** What is done, for a person: the start of the error message if it fails. */
  readonly what: string
}

/**
 * The operation that applies a setting in a cgroup directory, and sees that the kernel took it. `undoes`: the old value is
 * put back where a later operation fails, as in an update.
 */
export function writeOp(directory: string, setting: Setting, undoes = false): Op {
  const { file, value, otherwise, ifAny = false, pointer, what } = setting
  const { check, least, most, key, text, undo, absent } = readBackOf(file, value)
  const path = `${directory}/${file}`
  const undoing = undoes && undo !== UNDO.none
  if (check === CHECKS.none && otherwise === undefined && !undoing) {
    return { kind: 'writeCgroupFile', pointer, what, file: path, value, ifAny }
  }
  const second = otherwise === undefined ? undefined : readBackOf(otherwise.file, otherwise.value)
  return {
    kind: 'setCgroupLimit',
    pointer,
    what,
    files: otherwise === undefined ? [path] : [path, `${directory}/${otherwise.file}`],
    values: otherwise === undefined ? [value] : [value, otherwise.value],
    ifAny,
    check,
    least,
    most,
    key,
    texts: second === undefined ? [text] : [text, second.text],
    advice: adviceFor(file),
    undo: undoing ? undo : UNDO.none,
    absent,
  }
}

/** The operations that apply a setting of cgroup v2 in a cgroup directory. */
export const applyOps = (directory: string, setting: Setting, undoes = false): readonly Op[] => {
  const { value, usage, pointer, what } = setting
  const write = writeOp(directory, setting, undoes)
  if (usage === undefined) return [write]
  const file = `${directory}/${usage}`
  return [{ kind: 'checkCgroupUsage', pointer, what, file, limit: BigInt(value) }, write]
}

export type Warn = (text: string) => void

/** "No limit" in a file of cgroup v2. */
export const MAX = 'max'

/**
 * The value of a property for which 0 means "not set": engines write config.json from structures whose zero value is 0,
 * and runc and crun take it so. Such a 0 is said to have been ignored.
 */
export function unlessZero(value: Integer | undefined, pointer: string, warn: Warn): bigint | undefined {
  if (value === undefined) return undefined
  const exact = BigInt(value)
  if (exact !== 0n) return exact
  warn(`0 is taken as "not set" (config.json ${pointer})`)
  return undefined
}

/** The error of a property of linux.resources, or of linux.cgroupsPath. */
export const cgroupError = (code: string, message: string, pointer: string): TsruncError =>
  new TsruncError(code, `${message} (config.json ${shownPointer(pointer)})`, { pointer })

/** config-linux.md "Control groups": a v1 property that v2 cannot express must be an error. */
export const notConvertible = (what: string, why: string, pointer: string): TsruncError =>
  cgroupError('CGROUP_NOT_CONVERTIBLE', `${what}: ${why}`, pointer)

/** A segment of a JSON pointer (RFC 6901). */
export const segment = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
