/**
 * npm run vm-test: black-box tests in the virtual machine.
 *
 *   npm run vm-test -- [--host REPORT] [--results DIR] [--machine NAME]… [--runtime PATH] [FILTER…]
 *
 *   --host     what the host could not run: a report of vitest's JSON reporter (default: build/results/tsrunc.json, if it is
 *              there). The machines run it besides what they run in any case
 *   --results  where vm-MACHINE.json goes, or vm-RUNTIME-MACHINE.json, in the form of that reporter (default: build/results;
 *              with a FILTER nothing is written)
 *   --machine  one of spec-tests/vm/machines.ts; without it all of them, or with a FILTER the first
 *   --runtime  instead of build/Release/tsrunc; /usr/sbin/runc and /usr/bin/crun are in the machine too
 *   FILTER     part of a test's path or title: these tests and no others
 *
 * Fails when a test fails, and when one is skipped for want of something that the machine should have.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../lib/config'
import { runInMachine, type Wanted } from './machine'
import { describeMachine, MACHINES, type Machine, providesAll } from './machines'
import { isUnmet, keyOf, type Located, type Report, reportOf, testsOf } from './report'
import { bundleSuite } from './suite'
import { type MachineRun, printOf, printSummary } from './summary'

interface Options {
  readonly host: Report | undefined
  readonly results: string | undefined
  readonly machines: readonly Machine[]
  readonly runtime: string
  readonly filters: readonly string[]
}

const SUITES = join(REPOSITORY, 'spec-tests', 'suites')
const RESULTS = join(REPOSITORY, 'build', 'results')

const machineNamed = (name: string): Machine => {
  const machine = MACHINES.find((candidate) => candidate.name === name)
  if (machine === undefined) {
    throw new Error(`--machine ${name}: there are ${MACHINES.map((candidate) => candidate.name).join(', ')}`)
  }
  return machine
}

const readHost = (path: string | undefined): Report | undefined => {
  const usual = join(RESULTS, 'tsrunc.json')
  if (path === undefined && !existsSync(usual)) {
    process.stdout.write(`without ${usual}: what the host cannot run is not known\n`)
    return undefined
  }
  return JSON.parse(readFileSync(path ?? usual, 'utf8')) as Report
}

const readOptions = (): Options => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      host: { type: 'string' },
      results: { type: 'string' },
      machine: { type: 'string', multiple: true },
      runtime: { type: 'string', default: join(REPOSITORY, 'build/Release/tsrunc') },
    },
  })
  const usual = positionals.length === 0 ? MACHINES : MACHINES.slice(0, 1)
  return {
    host: positionals.length === 0 ? readHost(values.host) : undefined,
    results: values.results ?? (positionals.length === 0 ? RESULTS : undefined),
    machines: values.machine?.map(machineNamed) ?? usual,
    runtime: resolve(values.runtime),
    filters: positionals,
  }
}

/** Every test file of the suites. */
const allFiles = (): readonly string[] =>
  readdirSync(SUITES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(SUITES, name))
    .sort()

const listTests = (suite: string): readonly Wanted[] =>
  execFileSync(process.execPath, [suite, 'list'], { encoding: 'utf8', maxBuffer: 1 << 26 })
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Wanted)

/** "suites/config/mounts.test.ts: title", what filters look at. */
const pathAndTitle = ({ file, title }: Wanted): string => `${file.slice(SUITES.length + 1)}: ${title}`

/** What a machine is to run, given what tests lack that nobody could run yet, by their keys. */
const wantedBy = (
  machine: Machine,
  tests: readonly Wanted[],
  filters: readonly string[],
  open: ReadonlyMap<string, string>,
): readonly Wanted[] =>
  tests.filter((test) => {
    if (filters.length > 0) {
      return filters.some((filter) => pathAndTitle(test).includes(filter))
    }
    const unmet = open.get(keyOf({ ...test, fullName: test.title }))
    return (unmet !== undefined && providesAll(machine, unmet)) || machine.always.test(pathAndTitle(test))
  })

const writeReport = (directory: string, runtime: string, { machine, tests, seconds }: MachineRun): void => {
  const name = basename(runtime)
  const path = join(directory, `vm-${name === 'tsrunc' ? '' : `${name}-`}${machine.name}.json`)
  mkdirSync(directory, { recursive: true })
  writeFileSync(path, `${JSON.stringify(reportOf(tests, Date.now() - 1000 * seconds))}\n`)
}

/** More tests than these fail for a reason. */
const FEW = 6

interface Tries {
  readonly tests: readonly Located[]
  readonly unsteady: readonly Located[]
}

/** Runs tests in a machine; those few that failed once more, in a new one. What passes only then is told. */
const runTwice = async (
  machine: Machine,
  suite: string,
  runtime: string,
  wanted: readonly Wanted[],
): Promise<Tries> => {
  const first = await runInMachine(machine, suite, runtime, wanted, printOf(machine))
  const failed = first.filter(({ status }) => status === 'failed')
  if (failed.length === 0 || failed.length > FEW) return { tests: first, unsteady: [] }
  process.stdout.write(`\nonce more, in a new ${machine.name}: ${failed.length} tests\n`)
  const names = new Set(failed.map(keyOf))
  const isAgain = ({ file, title }: Wanted): boolean =>
    failed.some((test) => test.file === file && test.title === title)
  const again = await runInMachine(machine, suite, runtime, wanted.filter(isAgain), printOf(machine))
  return { tests: [...first.filter((test) => !names.has(keyOf(test))), ...again], unsteady: failed }
}

/** What nobody could run yet, by key: what it lacks. */
type Open = Map<string, string>

/** Runs what a machine is to run, which is nobody else's meanwhile. Undefined: nothing. */
const runMachine = async (
  machine: Machine,
  { suite, tests, options }: { suite: string; tests: readonly Wanted[]; options: Options },
  open: Open,
): Promise<MachineRun | undefined> => {
  const wanted = wantedBy(machine, tests, options.filters, open)
  if (wanted.length === 0) return undefined
  process.stdout.write(`\n${describeMachine(machine)}: ${wanted.length} tests\n`)
  const taken = wanted
    .map((test) => keyOf({ ...test, fullName: test.title }))
    .flatMap((key) => {
      const unmet = open.get(key)
      return unmet === undefined ? [] : [[key, unmet] as const]
    })
  for (const [key] of taken) open.delete(key)
  const begin = Date.now()
  const { tests: done, unsteady } = await runTwice(machine, suite, options.runtime, wanted)
  const lacking = new Set(done.filter(isUnmet).map(keyOf))
  for (const [key, unmet] of taken) if (lacking.has(key)) open.set(key, unmet)
  return { machine, tests: done, unsteady, seconds: Math.round((Date.now() - begin) / 1000) }
}

/**
 * Machines at a time, in their order: the two that have most to run begin, the others follow where there is room. What one of
 * them lacks although it should have it is taken over by those that begin behind its end.
 */
const AT_ONCE = 2

const main = async (): Promise<void> => {
  const options = readOptions()
  const suite = await bundleSuite(allFiles())
  const work = { suite, tests: listTests(suite), options }
  const hostTests = options.host === undefined ? [] : testsOf(options.host)
  const open = new Map(hostTests.filter(isUnmet).map((test) => [keyOf(test), test.meta.unmet ?? ''] as const))
  const runs: MachineRun[] = []
  const waiting = [...options.machines]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let machine = waiting.shift(); machine !== undefined; machine = waiting.shift()) {
        const run = await runMachine(machine, work, open)
        if (run === undefined) continue
        runs.push(run)
        if (options.results !== undefined) writeReport(options.results, options.runtime, run)
      }
    }),
  )
  printSummary(hostTests, runs)
  process.exitCode = runs.some((run) => run.tests.some(({ status }) => status === 'failed')) ? 1 : 0
}

main().catch((error: Error) => {
  process.stderr.write(`vm-test: ${error.message}\n`)
  process.exitCode = 1
})
