import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quote, TsruncError } from '../errors'
import { type HostView, OWN_VIEW, type SavedBytes } from '../host/view'
import { binding } from '../native/binding'
import { PlanBytesError } from '../plan/byte-reader'
import type { PlanHeader } from '../plan/plan'
import { decodeHeader } from '../plan/saved-header'
import { decodeUnit, type SavedUnit } from '../plan/saved-unit'
import { reloadSpec } from '../spec/load'
import type { Spec } from '../spec/types'
import { checkId } from './id'

/** The container's first process; a later one of the same pid has another start time (proc_pid_stat(5) field 22). */
export interface SavedProcess {
  readonly pid: number
  readonly startTime: bigint
}

/** A container that exists, as its maker saved it. Verbs that plan later begin with this. */
export interface SavedContainer {
  readonly id: string
  /** ROOT/ID. */
  readonly stateDir: string
  /** Resolved at create, absolute. */
  readonly bundle: string
  readonly rootfs: string
  /** config.json as create read it: later changes of the file have no effect (runtime.md "Lifecycle"). */
  readonly config: Uint8Array
  readonly spec: Spec
  /** Cgroup directories, the file that tells that they are frozen, and what else create decided for later verbs. */
  readonly header: PlanHeader
  readonly process: SavedProcess
  /** RFC 3339, UTC. */
  readonly created: string
}

/** One of the two copies that native/engine/saved_state.cc writes. */
const STATE =
  /^tsrunc-state 2\npid ([1-9]\d{0,9})\nstart (\d{1,20})\ncreated (.*)\nowner \d+\nowner-start \d+\njournal \d+\nsum $/

/** Digits and newline behind `sum`. */
const STATE_SUM = 9

/** Bytes of the CRC-32C behind the plan. */
const PLAN_SUM = 4

/** Of pid_t. */
const LARGEST_PID = 2 ** 31 - 1

/** Plans are some ten kilobytes; config.json is in it and may be large. */
const LARGEST_PLAN = 256 << 20

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const damaged = (id: string, why: string, cause?: unknown): TsruncError =>
  new TsruncError('CONTAINER_DAMAGED', `container ${quote(id)}: ${why}; tsrunc delete --force ${id} removes it`, {
    cause,
  })

/** Errors: NO_CONTAINER, CONTAINER_OWNER, CONTAINER_DAMAGED. */
function checkDirectory(stateDir: string, id: string): void {
  let fd: number
  try {
    fd = openSync(stateDir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOENT') throw new TsruncError('NO_CONTAINER', `container ${quote(id)} does not exist`)
    // A container of somebody else: its directory is readable for its owner only.
    if (code === 'EACCES') throw foreign(id, stateDir)
    if (code === 'ENOTDIR' || code === 'ELOOP') throw damaged(id, `open ${stateDir}: not a directory`, cause)
    throw cause
  }
  try {
    if (fstatSync(fd).uid !== process.geteuid?.()) throw foreign(id, stateDir)
  } finally {
    closeSync(fd)
  }
}

/** A plan of somebody else must not be run with this user's rights. */
const foreign = (id: string, stateDir: string): TsruncError =>
  new TsruncError(
    'CONTAINER_OWNER',
    `container ${quote(id)}: open ${stateDir}: operation not permitted: the container belongs to another user`,
  )

/** Errors: CONTAINER_DAMAGED where create was interrupted before it wrote the file. */
function readStateFile(stateDir: string, id: string, name: string): Buffer {
  const path = join(stateDir, name)
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      if (fstatSync(fd).size > LARGEST_PLAN) throw damaged(id, `${path} is too large`)
      return readFileSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause
    throw damaged(id, 'it was not created completely', cause)
  }
}

function decodePlan<T>(bytes: Uint8Array, id: string, decode: (bytes: Uint8Array) => T): T {
  try {
    return decode(bytes)
  } catch (cause) {
    if (!(cause instanceof PlanBytesError)) throw cause
    throw damaged(id, `the saved plan ${cause.message}: it is incomplete, or another version of tsrunc made it`, cause)
  }
}

const damagedFile = (id: string, name: string, how: string): TsruncError =>
  damaged(id, `the saved ${name} (the file "${name}") is damaged: ${how}`)

/** The plan in the file's bytes. Errors: CONTAINER_DAMAGED. */
function checkPlan(file: Uint8Array, id: string): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const plan = bytes.subarray(0, -PLAN_SUM)
  if (plan.length === 0) throw damagedFile(id, 'plan', `it has ${bytes.length} bytes`)
  if (binding().checksum(plan) !== bytes.readUInt32LE(plan.length)) {
    throw damagedFile(id, 'plan', `the checksum of its ${bytes.length} bytes is wrong`)
  }
  return plan
}

function decodeState(file: Uint8Array, id: string): Pick<SavedContainer, 'process' | 'created'> {
  const text = Buffer.from(file).toString('latin1')
  const copy = text.slice(0, text.length / 2)
  const summed = copy.slice(0, -STATE_SUM)
  const sum = binding().checksum(Buffer.from(summed, 'latin1')).toString(16).padStart(8, '0')
  const [, pid, start, created] = STATE.exec(summed) ?? []
  if (pid === undefined || start === undefined || created === undefined || text !== `${summed}${sum}\n`.repeat(2)) {
    const first = [...copy].findIndex((letter, at) => letter !== text[copy.length + at])
    throw damagedFile(id, 'state', first < 0 ? 'its checksum is wrong' : `byte ${first} is not the same in both copies`)
  }
  const process = { pid: Number(pid), startTime: BigInt(start) }
  // As native/engine/state_files.cc reads them.
  if (process.pid > LARGEST_PID || BigInt.asUintN(64, process.startTime) !== process.startTime) {
    throw damagedFile(id, 'state', 'no process has these numbers')
  }
  return { process, created }
}

function rootfsOf({ rootfsJson }: PlanHeader, id: string): string {
  try {
    return String(JSON.parse(rootfsJson))
  } catch (cause) {
    throw damaged(id, 'the saved plan names no root file system', cause)
  }
}

/** Errors: CONTAINER_DAMAGED. */
function readPlan(file: Uint8Array, id: string): Pick<SavedContainer, 'header' | 'spec' | 'rootfs'> {
  const header = decodePlan(checkPlan(file, id), id, decodeHeader)
  const spec = reloadSpec(header.config)
  if (spec === undefined) throw damaged(id, 'the saved config.json is damaged')
  return { header, spec, rootfs: rootfsOf(header, id) }
}

/** Errors: NO_CONTAINER, CONTAINER_OWNER, CONTAINER_DAMAGED; node's own. */
function readFiles(stateDir: string, id: string): SavedBytes {
  checkDirectory(stateDir, id)
  // The plan first: of a container that was not created completely it may be missing alone.
  const plan = readStateFile(stateDir, id, 'plan')
  return { plan, state: readStateFile(stateDir, id, 'state') }
}

/**
 * What create saved of the container `id` beneath `root`. Whether its process lives, stands still or has ended is
 * for the engine to see, at the moment at which it matters.
 *
 * @param view of who may have read it already
 * Errors: INVALID_ID, NO_CONTAINER, CONTAINER_OWNER, CONTAINER_DAMAGED; node's own for what cannot be read.
 */
export function readSaved(
  root: string,
  id: string,
  { saved: sent, memory }: Pick<HostView, 'saved' | 'memory'> = OWN_VIEW,
): SavedContainer {
  checkId(id)
  const stateDir = join(root, id)
  const bytes = sent ?? readFiles(stateDir, id)
  const decided = memory.content('saved plan', bytes.plan, () => readPlan(bytes.plan, id))
  const { header } = decided
  if (header.id !== id) throw damaged(id, `the saved plan is one of ${quote(header.id)}`)
  const { config, bundle } = header
  return { id, stateDir, bundle, config, ...decided, ...decodeState(bytes.state, id) }
}

/**
 * The unit of systemd that is the container's cgroup, if it is one.
 *
 * @param view of who may have read the saved plan already
 * Errors: CONTAINER_DAMAGED.
 */
export const readUnit = (
  { stateDir, id }: SavedContainer,
  { saved: sent }: Pick<HostView, 'saved'> = OWN_VIEW,
): SavedUnit | undefined => decodePlan(checkPlan(sent?.plan ?? readStateFile(stateDir, id, 'plan'), id), id, decodeUnit)
