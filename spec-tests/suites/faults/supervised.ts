// The runtime under a supervisor that lets one system call fail, or sends the process a signal there.
import { readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { faultAt, launch, type Outcome, runtime, sandbox, scratch } from '../../lib'
import { nameOf, numberOf } from './calls'

const { signals } = constants

/** One system call of one process. */
export interface Point {
  /** `1` is the runtime's process in its first program, `2.1` the first process that it clones in its second; see tools/faultat.cc. */
  readonly role: string
  readonly call: string
  /** Which of them, from 1. */
  readonly occurrence: number
}

/** The number of an errno, or a signal. */
export type Blow = number | 'SIGKILL' | 'SIGTERM'

const numberOfBlow = (blow: Blow): number => (typeof blow === 'number' ? blow : -signals[blow])

export interface Supervised {
  readonly outcome: Outcome
  /** Each call, in the order of their beginning. */
  readonly points: readonly Point[]
  readonly struck: boolean
  /** Of the call that was struck, for a person. */
  readonly arguments: string
}

export interface Supervision {
  /** A process of the container that is watched, too: `init`. */
  readonly init?: number
  readonly strike?: { readonly at: Point; readonly blow: Blow }
}

const readPoints = (lines: readonly string[]): Point[] => {
  const seen = new Map<string, number>()
  return lines
    .map((line) => /^(\S+) (\d+)$/.exec(line))
    .filter((match) => match !== null && match[1] !== 'status')
    .map((match) => {
      const [line = '', role = '', number = ''] = match ?? []
      const occurrence = (seen.get(line) ?? 0) + 1
      seen.set(line, occurrence)
      return { role, call: nameOf(Number(number)), occurrence }
    })
}

/** Calls the runtime with these words, from its first program to its last, but for node. */
export const supervised = async (args: readonly string[], how: Supervision = {}): Promise<Supervised> => {
  const report = scratch('faults.report')
  const { init, strike } = how
  const words = [
    ...['--skip', 'node'],
    ...(init === undefined ? [] : ['--with', String(init)]),
    ...(strike === undefined
      ? []
      : ['--at', strike.at.role, numberOf(strike.at.call), strike.at.occurrence, numberOfBlow(strike.blow)].map(
          String,
        )),
    report,
  ]
  const command = [runtime().path, '--root', sandbox().marks.root, ...args]
  const outcome = await launch([faultAt(), ...words, ...command]).exited
  const lines = readFileSync(report, 'utf8').split('\n')
  rmSync(report)
  return {
    outcome,
    points: readPoints(lines),
    struck: lines.includes('struck'),
    arguments: lines.find((line) => line.startsWith('arguments'))?.slice(10) ?? '',
  }
}

export const describePoint = ({ role, call, occurrence }: Point): string => `${role} ${call} #${occurrence}`
