/**
 * npm run vm-test: black-box tests in the virtual machine.
 *
 *   npm run vm-test -- [--host REPORT] [--output REPORT] [--machine NAME]… [--runtime PATH] [FILTER…]
 *
 *   --host     what the host could not run: a report of vitest's JSON reporter. Without it every test is looked at
 *   --output   writes the host's report, with the results of the machines for what the host could not run
 *   --machine  one of spec-tests/vm/machines.ts; without it all of them, or with a FILTER the first
 *   --runtime  instead of build/Release/tsrunc; /usr/sbin/runc and /usr/bin/crun are in the machine too
 *   FILTER     part of a test's path or title: these tests and no others
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../lib/config'
import { runInMachine, type Wanted } from './machine'
import { describeMachine, MACHINES, type Machine } from './machines'
import { isUnmet, keyOf, type Located, mergeReports, type Report, testsOf } from './report'
import { bundleSuite } from './suite'
import { printResult, printSummary } from './summary'

interface Options {
  readonly host: Report | undefined
  readonly output: string | undefined
  readonly machines: readonly Machine[]
  readonly runtime: string
  readonly filters: readonly string[]
}

const SUITES = join(REPOSITORY, 'spec-tests', 'suites')

const machineNamed = (name: string): Machine => {
  const machine = MACHINES.find((candidate) => candidate.name === name)
  if (machine === undefined) {
    throw new Error(`--machine ${name}: there are ${MACHINES.map((candidate) => candidate.name).join(', ')}`)
  }
  return machine
}

const readOptions = (): Options => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      host: { type: 'string' },
      output: { type: 'string' },
      machine: { type: 'string', multiple: true },
      runtime: { type: 'string', default: join(REPOSITORY, 'build/Release/tsrunc') },
    },
  })
  const usual = positionals.length === 0 ? MACHINES : MACHINES.slice(0, 1)
  return {
    host: values.host === undefined ? undefined : (JSON.parse(readFileSync(values.host, 'utf8')) as Report),
    output: values.output,
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

/** What a machine is to run, given the keys of what nobody could run yet. */
const wantedBy = (
  machine: Machine,
  tests: readonly Wanted[],
  filters: readonly string[],
  open: ReadonlySet<string>,
): readonly Wanted[] =>
  tests.filter((test) =>
    filters.length > 0
      ? filters.some((filter) => pathAndTitle(test).includes(filter))
      : (machine.unmet && open.has(keyOf({ ...test, fullName: test.title }))) ||
        machine.always?.test(pathAndTitle(test)) === true,
  )

const main = async (): Promise<void> => {
  const { host, output, machines, runtime, filters } = readOptions()
  const suite = await bundleSuite(allFiles())
  const tests = listTests(suite)
  const hostTests = host === undefined ? [] : testsOf(host)
  const open = new Set(hostTests.filter(isUnmet).map(keyOf))
  const results: (readonly Located[])[] = []
  for (const machine of machines) {
    const wanted = wantedBy(machine, tests, filters, open)
    if (wanted.length === 0) continue
    process.stdout.write(`\n${describeMachine(machine)}: ${wanted.length} tests\n`)
    const done = await runInMachine(machine, suite, runtime, wanted, printResult)
    for (const result of done) {
      if (!isUnmet(result)) open.delete(keyOf(result))
    }
    results.push(done)
  }
  printSummary(hostTests, machines, results)
  if (output !== undefined && host !== undefined) {
    writeFileSync(output, `${JSON.stringify({ ...host, ...mergeReports(host, results) })}\n`)
  }
  process.exitCode = results.flat().some(({ status }) => status === 'failed') ? 1 : 0
}

main().catch((error: Error) => {
  process.stderr.write(`vm-test: ${error.message}\n`)
  process.exitCode = 1
})
