// Which points are tried: all of them by hand, a few in a usual run.
import { createHash } from 'node:crypto'
import { errorsOf, INFALLIBLE } from './calls'
import type { Point } from './supervised'

/**
 * SPEC_FAULTS=all: every call; a number: so many occurrences of each call in each process; unset: a sample of each verb.
 * SPEC_FAULTS_SEED or SPEC_SEED: the sample of that number again; unset: always the same one. SPEC_FAULTS_ONLY: a regular expression for points, as they are printed.
 */
const MODE = process.env['SPEC_FAULTS'] ?? ''
const ONLY = new RegExp(process.env['SPEC_FAULTS_ONLY'] ?? '')
export const SEED = Number(process.env['SPEC_FAULTS_SEED'] ?? process.env['SPEC_SEED'] ?? 718602)

const nameOf = ({ role, call, occurrence }: Point): string => `${role} ${call} #${occurrence}`

/** A point's place in a sample. By its name: how often a process polls changes nothing for the others. */
const orderOf = (point: Point): string =>
  createHash('sha256')
    .update(`${SEED} ${nameOf(point)}`)
    .digest('hex')

const shuffled = (points: readonly Point[]): Point[] =>
  points
    .map((point) => ({ point, order: orderOf(point) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ point }) => point)

/** The points that are tried. A sample has different calls of different processes first. */
export const chosen = (points: readonly Point[], most: number): Point[] => {
  const possible = points.filter((point) => !INFALLIBLE.has(point.call) && ONLY.test(nameOf(point)))
  if (MODE === 'all') {
    return possible
  }
  if (MODE !== '') {
    return possible.filter(({ occurrence }) => occurrence <= Number(MODE))
  }
  const mixed = shuffled(possible)
  const seen = new Set<string>()
  const first = mixed.filter(({ role, call }) => {
    const fresh = !seen.has(`${role} ${call}`)
    seen.add(`${role} ${call}`)
    return fresh
  })
  return [...first, ...mixed.filter((point) => !first.includes(point))].slice(0, most)
}

/**
 * The error of a point: each occurrence of a call gets another one of those that make sense. The same in a sample as in the whole run:
 * what a sample tries has been tried there.
 */
export const errorAt = ({ call, occurrence }: Point): string => {
  const errors = errorsOf(call)
  return errors[(occurrence - 1) % errors.length] ?? 'EIO'
}
