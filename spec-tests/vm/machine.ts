import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { REPOSITORY } from '../lib/config'
import type { Machine } from './machines'
import type { Located } from './report'
import { WORK } from './suite'

/** Emulated, and with both processors busy, a runtime that starts node is this much slower. */
const PATIENCE = 20

/** Seconds for one test, on average, before a machine is taken for dead. */
const SECONDS_A_TEST = 60

export interface Wanted {
  readonly file: string
  readonly title: string
}

const isWanted = ({ file, title }: Wanted, results: readonly Located[]): boolean =>
  !results.some((result) => result.file === file && result.title === title)

/** A test of which the machine said nothing. */
const noResult = (test: Wanted, why: string): Located => ({
  ...test,
  fullName: test.title,
  ancestorTitles: [],
  status: 'failed',
  duration: 0,
  failureMessages: [why],
  meta: {},
})

/**
 * Runs tests of the bundled suite in the machine.
 *
 * @param runtime path of the runtime, in the repository or in the machine
 * @param took is called with each result as it comes
 * @returns a result for each test
 */
export const runInMachine = async (
  machine: Machine,
  suite: string,
  runtime: string,
  wanted: readonly Wanted[],
  took: (result: Located) => void,
): Promise<readonly Located[]> => {
  const list = join(WORK, `${machine.name}.json`)
  writeFileSync(list, JSON.stringify(wanted))
  const environment = { RUNTIME: runtime, SPEC_PATIENCE: String(PATIENCE), TMPDIR: '/var/tmp' }
  const child = spawn(
    join(__dirname, 'run'),
    [
      ...['--kernel', machine.kernel, '--cgroup', machine.cgroup, '--cmdline', machine.cmdline],
      ...['--share', REPOSITORY, '--timeout', String(120 + SECONDS_A_TEST * wanted.length)],
      ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...['--', join(__dirname, 'guest.sh'), process.execPath, suite, 'run', list],
    ],
    { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const results: Located[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const result: Located = { ...(JSON.parse(line) as Located) }
    results.push({ ...result, meta: { ...result.meta, machine: machine.name } })
    took(result)
  }
  const status = await ended
  const missing = wanted
    .filter((test) => isWanted(test, results))
    .map((test) => noResult(test, `the machine ended with ${status} before it had a result`))
  for (const result of missing) took(result)
  return [...results, ...missing]
}
