import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { COUNTS_TITLE, countReport } from './counts'
import { EngineBundles } from './engine-bundles'
import { probeHost } from './host'
import { runtimesOf, Series } from './measure'
import { buildPrograms } from './native'
import { type BenchOptions, parseOptions, USAGE } from './options'
import { phaseReport } from './phases'
import { picture } from './picture'
import { Planner } from './planner'
import { type Findings, json, markdown } from './report'
import { findParticipants, type Participant, type Runtime, WARM } from './runtimes'
import { type Bench, SCENARIOS } from './scenarios'
import { replaceSection, sectionsBehind } from './sections'
import { Stopwatch } from './stopwatch'
import { Workplace } from './workplace'

const DEFAULT_OUTPUT = join(__dirname, '..', 'docs', 'BENCHMARKS.md')
const FLOOR_CGROUP = 'floor-'
/** The last sections that this program writes. */
const OWN_SECTIONS = ['## Goals', '## Problems']

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), DEFAULT_OUTPUT)
  if (options === undefined) {
    process.stdout.write(USAGE)
    return 0
  }
  if (process.getuid?.() !== 0) throw new Error('the benchmarks start containers, which takes root here')
  if (options.phases) return showPhases(options)
  if (options.count) return count(options)
  const findings = await measureAll(options)
  if (options.json) {
    process.stdout.write(`${json(findings)}\n`)
  } else {
    const figure = options.output.replace(/\.md$/, '.svg')
    writeFileSync(options.output, `${markdown(findings, basename(figure))}${keptSections(options.output)}`)
    writeFileSync(figure, picture(findings))
    process.stdout.write(markdown(findings, basename(figure)))
    process.stderr.write(`written to ${options.output}\n`)
  }
  return findings.results.failures.length + findings.leftovers.length === 0 ? 0 : 1
}

/** Sections of others stay: of --count, bench/least-memory.ts, bench/elsewhere.ts, bench/shim.ts. */
function keptSections(path: string): string {
  return existsSync(path) ? sectionsBehind(readFileSync(path, 'utf8'), OWN_SECTIONS) : ''
}

/** What the measurements of one run stand on, and how to take it away. */
interface Ground {
  readonly participants: readonly Participant[]
  readonly runtimes: readonly Runtime[]
  readonly bench: Bench
  /** @returns cgroups that were left behind. */
  readonly remove: () => readonly string[]
}

/** The folders, bundles and planner of `names`, until `use` has ended or the process is interrupted. */
async function prepared<T>(names: readonly string[], use: (ground: Ground) => Promise<T>): Promise<T> {
  const programs = buildPrograms()
  const participants = findParticipants(names, programs.floor)
  const runtimes = runtimesOf(participants)
  for (const { name } of participants.filter(({ path }) => path === undefined)) {
    process.stderr.write(`${name} is absent: not measured\n`)
  }
  const syscalls = execFileSync(programs.syscallNames, { encoding: 'utf8' }).split('\n').filter(Boolean)
  const workplace = new Workplace(syscalls, runtimes)
  const warm = runtimes.find(({ name }) => name === WARM)
  const planner = warm === undefined ? undefined : await Planner.start(warm, workplace)
  const stopwatch = new Stopwatch(programs.stopwatch, workplace.file('errors'))
  let left: readonly string[] | undefined
  const remove = (): readonly string[] => {
    if (left === undefined) {
      planner?.stop()
      left = workplace.remove(runtimes, FLOOR_CGROUP)
    }
    return left
  }
  removeWhenInterrupted(remove)
  try {
    return await use({ participants, runtimes, bench: { stopwatch, workplace, floor: programs.floor }, remove })
  } finally {
    await stopwatch.close()
    remove()
  }
}

function measureAll(options: BenchOptions): Promise<Findings> {
  const host = probeHost()
  const bundles = options.bundles === undefined ? undefined : new EngineBundles(options.bundles)
  return prepared(options.runtimes, async ({ participants, bench, remove }) => {
    try {
      const all = [...SCENARIOS, ...(bundles === undefined ? [] : [bundles.scenario()])]
      const { only } = options
      const scenarios = all.filter(({ measures }) => only === undefined || measures.some((name) => only.includes(name)))
      const series = new Series(bench, participants, scenarios)
      const results = await series.run(options, (round) => progress(round, options.runs))
      await bench.stopwatch.close()
      const leftovers = [...remove(), ...((await bundles?.remove()) ?? [])]
      return { host, options, participants, scenarios, results, leftovers }
    } finally {
      remove()
      await bundles?.remove()
    }
  })
}

function count({ runtimes: names, output }: BenchOptions): Promise<number> {
  return prepared(names, async ({ participants, bench }) => {
    const there = participants.flatMap(({ path, ...rest }) => (path === undefined ? [] : [{ ...rest, path }]))
    const section = await countReport(bench, there)
    writeFileSync(output, replaceSection(readFileSync(output, 'utf8'), COUNTS_TITLE, section))
    process.stdout.write(section)
    return 0
  })
}

/** Of the first runtime named tsrunc. */
function showPhases({ runtimes: names, warmUp, runs }: BenchOptions): Promise<number> {
  return prepared(names, async ({ runtimes, bench }) => {
    const tsrunc = runtimes.find(({ name }) => name === WARM)
    if (tsrunc === undefined) throw new Error('--phases is about tsrunc, which is not there')
    process.stdout.write(`${await phaseReport(bench, tsrunc, warmUp, runs)}\n`)
    return 0
  })
}

function progress(round: number, runs: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${round < 0 ? 'warming up' : `round ${round + 1} of ${runs}`}   `)
  if (process.stderr.isTTY && round === runs - 1) process.stderr.write('\n')
}

function removeWhenInterrupted(remove: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      remove()
      process.exit(130)
    })
  }
}

main().then(
  (status) => {
    process.exitCode = status
  },
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)
