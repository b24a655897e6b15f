/**
 * The benchmark on other systems: `npx tsx bench/elsewhere.ts [RUNS]`, as root, after `ENGINES_SUITE=trixie spec-tests/engines/build`,
 * the same with `sid`, and `spec-tests/vm/build`. Writes its section of docs/BENCHMARKS.md.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { ELSEWHERE_TITLE, elsewhereReport, type Place, type Report } from './elsewhere-report'
import { replaceSection } from './sections'

const REPOSITORY = join(__dirname, '..')
const REPORT = join(REPOSITORY, 'docs', 'BENCHMARKS.md')
const PROGRAM = join(REPOSITORY, 'build', 'bench.cjs')
const MOST_BYTES = 1 << 26
const QUIET_LOAD = 0.5
const MOST_WAIT_MS = 360_000
const LOOK_MS = 5_000

/** One place: where, and what runs a command there. */
interface Way {
  readonly title: string
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Of the benchmark, before those that say how often. */
  readonly options: readonly string[]
}

const RUNTIMES = ['--runtimes', 'floor,crun,runc,tsrunc,tsrunc-cold']

/** The runtimes of a Debian on this host's kernel. */
const sandbox = (suite: string, name: string): Way => ({
  title: `this host's kernel and cgroup v1, runc and crun of ${name}`,
  words: [join(REPOSITORY, 'spec-tests/engines/sandbox')],
  environment: { ENGINES_SUITE: suite, ENGINES_NAME: `${process.pid}-bench` },
  options: [...RUNTIMES, '--neighbours', '0'],
})

/** Emulated, node alone takes seconds: what asks it many times at once would take minutes. */
const IN_MACHINE = ['run', 'run with seccomp', 'create', 'exec', 'run, 8 at once'].join(',')

const machine = (title: string, options: readonly string[]): Way => ({
  title: `a virtual machine with cgroup v2 and the kernel, runc and crun of Debian unstable${title}`,
  words: [join(REPOSITORY, 'spec-tests/vm/run'), '--kernel', 'sid', '--cgroup', 'v2', '--with-caller', '--'],
  environment: {},
  options,
})

const WAYS: readonly Way[] = [
  sandbox('trixie', 'Debian 13'),
  sandbox('sid', 'Debian unstable'),
  machine('', [
    ...['--runtimes', 'floor,crun,runc,tsrunc', '--only', IN_MACHINE],
    ...['--warm-up', '2', '--neighbours', '1000'],
  ]),
  machine(', what starts node', [...RUNTIMES, '--only', 'run', '--warm-up', '1', '--neighbours', '0']),
]

/** The benchmark as one file: neither place has its npm packages. */
async function bundle(): Promise<void> {
  await build({
    entryPoints: [join(__dirname, 'main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile: PROGRAM,
    logLevel: 'error',
    define: { __dirname: JSON.stringify(__dirname) },
  })
}

function measure({ title, words, environment, options: own }: Way, runs: string): Place {
  const [program = '', ...before] = words
  const options = [...own, '--runs', runs, '--json']
  const { status, signal, error, stdout } = spawnSync(program, [...before, process.execPath, PROGRAM, ...options], {
    encoding: 'utf8',
    maxBuffer: MOST_BYTES,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  // One that failed at something has measured the rest, and says so in its report.
  if (error !== undefined || signal !== null || !stdout.startsWith('{'))
    throw new Error(`${title}: ${error?.message ?? signal ?? `ended with ${status} and no report`}`)
  return { title, report: JSON.parse(stdout) as Report }
}

/** What ran thirty-two at once leaves a load of its own: waits until the host has done with it, some minutes at the most. */
async function quiet(): Promise<void> {
  for (let waited = 0; waited < MOST_WAIT_MS && (loadavg()[0] ?? 0) > QUIET_LOAD; waited += LOOK_MS)
    await sleep(LOOK_MS)
}

async function main(): Promise<void> {
  const runs = process.argv[2] ?? '12'
  await bundle()
  const places: Place[] = []
  for (const way of WAYS) {
    await quiet()
    places.push(measure(way, runs))
  }
  const section = elsewhereReport(places, runs)
  writeFileSync(REPORT, replaceSection(readFileSync(REPORT, 'utf8'), ELSEWHERE_TITLE, section))
  process.stdout.write(section)
}

main().catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`)
  process.exitCode = 1
})
