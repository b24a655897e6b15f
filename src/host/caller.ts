import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs'
import { TsruncError } from '../errors'
import type { Caller } from './facts'

/** Name of the variable that holds the number of the record's descriptor (native/launcher/handoff.h). */
export const HANDOFF_VARIABLE = '_TSRUNC_HANDOFF'

/** The launcher's record: what it noted of its caller before node was started. */
export interface Handoff {
  /** Descriptor of the record, for the addon. */
  readonly fd: number
  readonly caller: Caller
}

/** Errors: HANDOFF for text that is not a record. */
export function parseRecord(text: string): Caller {
  const [magic, ...lines] = text.split('\n')
  if (magic !== 'tsrunc-handoff 1') throw new TsruncError('HANDOFF', 'the record of the caller is not one of tsrunc')
  let pid = 0
  const fds: number[] = []
  for (const line of lines) {
    const words = line.split(' ')
    if (words[0] === 'fd') fds.push(Number(words[1]))
    else if (words[0] === 'pid') pid = Number(words[1])
  }
  return { fds: fds.sort((a, b) => a - b), pid }
}

/**
 * The record that the launcher left, or undefined where node was started by somebody else. Read by position: the
 * addon reads it again.
 *
 * Errors: HANDOFF where the variable is there and no record is.
 */
export function readHandoff(environment: Readonly<Record<string, string | undefined>>): Handoff | undefined {
  const value = environment[HANDOFF_VARIABLE]
  if (value === undefined) return undefined
  const fd = /^\d{1,9}$/.test(value) ? Number(value) : -1
  try {
    const bytes = Buffer.allocUnsafe(fstatSync(fd).size)
    const size = readSync(fd, bytes, 0, bytes.length, 0)
    return { fd, caller: parseRecord(bytes.toString('latin1', 0, size)) }
  } catch (cause) {
    if (cause instanceof TsruncError) throw cause
    throw new TsruncError('HANDOFF', `the record of the caller in ${HANDOFF_VARIABLE}=${value} cannot be read`, {
      cause,
    })
  }
}

/** Name of the variable that holds the number of the descriptor of a request (native/launcher/handoff.h). */
const CONSIDERED_VARIABLE = '_TSRUNC_CONSIDERED'

/** The request whose plan the launcher wants to be kept for later calls, once; undefined: there is none. Errors: node's own. */
export function takeConsidered(environment: Record<string, string | undefined>): Buffer | undefined {
  const value = environment[CONSIDERED_VARIABLE]
  delete environment[CONSIDERED_VARIABLE]
  if (value === undefined) return undefined
  const fd = Number(value)
  try {
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}
