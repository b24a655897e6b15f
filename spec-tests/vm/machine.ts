import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { REPOSITORY } from '../lib/config'
import { type Machine, providesAll } from './machines'
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

const isOpen = ({ file, title }: Wanted, results: readonly Located[]): boolean =>
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

/** The result with the machine's name; a failure if it was skipped for want of what the machine should have. */
const judged = (machine: Machine, result: Located): Located => {
  const { unmet, ...meta } = { ...result.meta, machine: machine.name }
  if (unmet === undefined || !providesAll(machine, unmet)) {
    return { ...result, meta: { ...result.meta, machine: machine.name } }
  }
  return { ...result, meta, status: 'failed', failureMessages: [`skipped, but this machine should have it: ${unmet}`] }
}

/** spec-tests/vm/run says so when the machine went away. */
const BROKEN = 125

/** Runs tests in one machine; some may have no result when it ends before its time. */
const runOnce = async (
  machine: Machine,
  suite: string,
  runtime: string,
  wanted: readonly Wanted[],
  took: (result: Located) => void,
): Promise<{ readonly results: readonly Located[]; readonly status: number | null }> => {
  const list = join(WORK, `${machine.name}.json`)
  writeFileSync(list, JSON.stringify(wanted))
  const environment = {
    RUNTIME: runtime,
    SPEC_PATIENCE: String(PATIENCE),
    SPEC_TESTS_PLANNER: machine.planner,
    TMPDIR: '/var/tmp',
  }
  const child = spawn(
    join(__dirname, 'run'),
    [
      ...['--kernel', machine.kernel, '--cgroup', machine.cgroup, '--cmdline', machine.cmdline],
      ...['--with-caller', '--share', REPOSITORY, '--timeout', String(120 + SECONDS_A_TEST * wanted.length)],
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
    const result = judged(machine, JSON.parse(line) as Located)
    results.push(result)
    took(result)
  }
  return { results, status: await ended }
}

/**
 * Runs tests of the bundled suite in the machine. Where it goes away, which an emulated one may do by itself, another one
 * runs what has no result; a test that takes both of them down fails.
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
  const first = await runOnce(machine, suite, runtime, wanted, took)
  const open = wanted.filter((test) => isOpen(test, first.results))
  const second =
    first.status === BROKEN && open.length > 0 ? await runOnce(machine, suite, runtime, open, took) : undefined
  const results = [...first.results, ...(second?.results ?? [])]
  const missing = wanted.filter((test) => isOpen(test, results))
  if (missing.length > 0) {
    process.stdout.write(`FAILED   ${missing.length} tests: the machine ended before it had their results\n`)
  }
  const why = `the machine ended with ${(second ?? first).status} before it had a result`
  return [...results, ...missing.map((test) => noResult(test, why))]
}
