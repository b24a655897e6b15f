import { EXPECTED, type Expectation, isForThisHost, type Peer } from './expected'
import type { Run } from './program'

/** What is compared of a run. */
export type Judged = Pick<Run, 'passed' | 'why' | 'left' | 'output'>

export type Results = Readonly<Record<string, Readonly<Record<Peer, Judged>>>>

/** A program that did not do what the table says. */
export interface Finding {
  readonly program: string
  readonly peer: Peer
  readonly text: string
}

/** What the table says of a program on this host. */
export const expectationOf = (
  program: string,
  expected: Readonly<Record<string, Expectation>> = EXPECTED,
): Expectation | undefined => {
  const expectation = expected[program]
  return expectation?.where?.() === false ? undefined : expectation
}

const judge = (run: Judged, peer: Peer, expectation: Expectation | undefined): string[] => {
  const fails = expectation?.fails.includes(peer) ?? false
  const varies = expectation?.varies?.includes(peer) ?? false
  const texts: string[] = []
  if (run.passed && fails) {
    texts.push(`passes, although the table says: ${expectation?.why ?? ''}`)
  } else if (!run.passed && !fails && !varies) {
    texts.push(`fails: ${run.why}\n${run.output}`)
  }
  // What peers leave behind is theirs.
  if (peer === 'tsrunc' && run.left.length > 0) {
    texts.push(`left behind:\n  ${run.left.join('\n  ')}`)
  }
  return texts
}

/**
 * What differs from the table of expected results.
 *
 * @param peers those whose results are judged
 * @param suite names of all programs, to find lines of the table for none; undefined when only some were run
 */
export const compare = (
  results: Results,
  peers: readonly Peer[],
  suite: readonly string[] | undefined,
  expected: Readonly<Record<string, Expectation>> = EXPECTED,
): Finding[] => {
  const strays = suite === undefined ? [] : Object.keys(expected).filter((program) => !suite.includes(program))
  return [
    ...Object.entries(results).flatMap(([program, runs]) =>
      (isForThisHost(program) ? peers : []).flatMap((peer) =>
        judge(runs[peer], peer, expectationOf(program, expected)).map((text) => ({ program, peer, text })),
      ),
    ),
    ...strays.map((program) => ({ program, peer: 'tsrunc' as const, text: 'the suite has no such program' })),
  ]
}
