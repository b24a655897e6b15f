import type { Machine } from './machines'
import { isUnmet, keyOf, type Located } from './report'

const WORDS = { passed: 'ok', failed: 'FAILED' } as const

/** Prints one test of a machine, as soon as its result is there. */
export const printOf =
  ({ name }: Machine) =>
  ({ title, status, duration = 0, failureMessages, meta }: Located): void => {
    const word = status === 'passed' || status === 'failed' ? WORDS[status] : 'skipped'
    const why = meta.unmet ?? (meta.deviates === undefined ? '' : `deviates: ${meta.deviates}`)
    const seconds = (duration / 1000).toFixed(1).padStart(6)
    process.stdout.write(`${word.padEnd(8)}${seconds} s  ${name.padEnd(7)}  ${title}${why === '' ? '' : ` [${why}]`}\n`)
    for (const message of failureMessages) process.stdout.write(`${message.replaceAll(/^/gm, '      ')}\n`)
  }

const count = (tests: readonly Located[], status: Located['status']): number =>
  tests.filter((test) => test.status === status).length

/** What one machine made of its tests. */
export interface MachineRun {
  readonly machine: Machine
  readonly tests: readonly Located[]
  /** Those that failed at their first try. */
  readonly unsteady: readonly Located[]
  readonly seconds: number
}

/** Lines of tests, by what they lack. */
const byReason = (tests: readonly Located[]): readonly string[] => {
  const reasons = new Map<string, number>()
  for (const { meta } of tests) {
    const reason = meta.unmet ?? meta.deviates ?? 'not about this runtime'
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  return [...reasons].map(([reason, times]) => `    skipped ${String(times).padStart(4)}  ${reason}`)
}

const linesOf = ({ machine, tests, unsteady, seconds }: MachineRun): readonly string[] => [
  `  ${machine.name} (Debian ${machine.kernel}, cgroup ${machine.cgroup}): ${count(tests, 'passed')} passed, ` +
    `${count(tests, 'failed')} failed, ${count(tests, 'skipped')} skipped in ${seconds} s`,
  ...unsteady.map(({ title }) => `    unsteady: failed at its first try: ${title}`),
  ...byReason(tests.filter(({ status }) => status === 'skipped')),
]

/** What became of the tests that the host could not run, and of those that ran besides. */
export const printSummary = (host: readonly Located[], runs: readonly MachineRun[]): void => {
  const unmet = host.filter(isUnmet)
  const ran = new Set(
    runs
      .flatMap(({ tests }) => tests)
      .filter((test) => !isUnmet(test))
      .map(keyOf),
  )
  const nowhere = unmet.filter((test) => !ran.has(keyOf(test)))
  const out = ['', 'Virtual machines', ...runs.flatMap(linesOf)]
  if (host.length > 0) {
    out.push(
      `  skipped on the host: ${unmet.length}; of these ran in a machine: ${unmet.length - nowhere.length}, nowhere: ${nowhere.length}`,
      ...nowhere.map(({ title, meta }) => `    ${meta.unmet}: ${title}`),
    )
  }
  process.stdout.write(`${out.join('\n')}\n`)
}
