// Which points are tried: all of them by hand, a few in a usual run.
import { errorsOf, INFALLIBLE } from './calls'
import type { Point } from './supervised'

/**
 * SPEC_FAULTS=all: every call; a number: so many occurrences of each call in each process; unset: a sample of each verb.
 * SPEC_FAULTS_SEED: the sample of that number again. SPEC_FAULTS_ONLY: a regular expression for points, as they are printed.
 */
const MODE = process.env['SPEC_FAULTS'] ?? ''
const ONLY = new RegExp(process.env['SPEC_FAULTS_ONLY'] ?? '')
export const SEED = Number(process.env['SPEC_FAULTS_SEED'] ?? 718602)

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
const randomNumbers = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const shuffled = <T>(items: readonly T[], random: () => number): T[] =>
  items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)

export const wholeRun = (): boolean => MODE !== ''

/** The points that are tried. A sample has different calls of different processes first. */
export const chosen = (points: readonly Point[], most: number): Point[] => {
  const possible = points.filter(
    (point) => !INFALLIBLE.has(point.call) && ONLY.test(`${point.role} ${point.call} #${point.occurrence}`),
  )
  if (MODE === 'all') {
    return possible
  }
  if (MODE !== '') {
    return possible.filter(({ occurrence }) => occurrence <= Number(MODE))
  }
  const random = randomNumbers(SEED)
  const mixed = shuffled(possible, random)
  const seen = new Set<string>()
  const first = mixed.filter(({ role, call }) => {
    const fresh = !seen.has(`${role} ${call}`)
    seen.add(`${role} ${call}`)
    return fresh
  })
  return [...first, ...mixed.filter((point) => !first.includes(point))].slice(0, most)
}

/** The error of a point: each occurrence of a call gets another one of those that make sense. */
export const errorAt = ({ call, occurrence }: Point): string => {
  const errors = errorsOf(call)
  return errors[(occurrence - 1 + (wholeRun() ? 0 : SEED)) % errors.length] ?? 'EIO'
}
