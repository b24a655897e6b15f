import type { Machine } from './machines'
import { isUnmet, keyOf, type Located } from './report'

const WORDS = { passed: 'ok', failed: 'FAILED' } as const

/** One test, as soon as its result is there. */
export const printResult = ({ title, status, duration = 0, failureMessages, meta }: Located): void => {
  const word = status === 'passed' || status === 'failed' ? WORDS[status] : 'skipped'
  const why = meta.unmet ?? (meta.deviates === undefined ? '' : `deviates: ${meta.deviates}`)
  const seconds = (duration / 1000).toFixed(1).padStart(6)
  process.stdout.write(`${word.padEnd(8)}${seconds} s  ${title}${why === '' ? '' : ` [${why}]`}\n`)
  for (const message of failureMessages) process.stdout.write(`${message.replaceAll(/^/gm, '      ')}\n`)
}

const count = (tests: readonly Located[], status: Located['status']): number =>
  tests.filter((test) => test.status === status).length

/** What became of the tests that the host could not run, and of those that ran besides. */
export const printSummary = (
  host: readonly Located[],
  machines: readonly Machine[],
  results: readonly (readonly Located[])[],
): void => {
  const out: string[] = ['', 'Virtual machine']
  machines.forEach((machine, index) => {
    const tests = results[index] ?? []
    const seconds = Math.round(tests.reduce((sum, { duration = 0 }) => sum + duration, 0) / 1000)
    const counts = `${count(tests, 'passed')} passed, ${count(tests, 'failed')} failed, ${count(tests, 'skipped')} skipped`
    out.push(`  ${machine.name} (Debian ${machine.kernel}, cgroup ${machine.cgroup}): ${counts} in ${seconds} s`)
  })
  const unmet = host.filter(isUnmet)
  const ran = new Set(
    results
      .flat()
      .filter((test) => !isUnmet(test))
      .map(keyOf),
  )
  const nowhere = unmet.filter((test) => !ran.has(keyOf(test)))
  if (host.length > 0) {
    out.push(
      `  skipped on the host, run in the machine: ${unmet.length - nowhere.length}; run nowhere: ${nowhere.length}`,
    )
  }
  for (const { title, meta } of nowhere) out.push(`    ${meta.unmet}: ${title}`)
  process.stdout.write(`${out.join('\n')}\n`)
}
