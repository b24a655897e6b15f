/**
 * containerd's shim for runc beside tsrunc's own, in one run: `npx tsx bench/shim.ts [ROUNDS [CONTAINERS,…]]`, as root, after
 * `spec-tests/engines/build`. Writes its section of docs/BENCHMARKS.md.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { replaceSection } from './sections'
import { quantile } from './stats'

export interface Memory {
  readonly containers: number
  /** Proportional set size of all processes of the runtime together. */
  readonly kib: number
}

/** Milliseconds, by what was done. */
export type Times = Readonly<Record<string, readonly number[]>>

export interface ShimFindings {
  readonly containerd: string
  readonly ways: readonly {
    readonly name: string
    /** Of ctr's commands. */
    readonly calls: Times
    /** Of what containerd asks of the shim. */
    readonly tasks: Times
    readonly memory: readonly Memory[]
  }[]
}

const REPOSITORY = join(__dirname, '..')
const REPORT = join(REPOSITORY, 'docs', 'BENCHMARKS.md')
export const SHIM_TITLE = "## containerd's shims"

async function measure(rounds: string, counts: string): Promise<ShimFindings> {
  const outfile = join(REPOSITORY, 'build', 'engine-tests', 'bench.cjs')
  const entry = join(__dirname, 'shim-guest.ts')
  await build({ entryPoints: [entry], bundle: true, platform: 'node', target: 'node20', outfile, logLevel: 'error' })
  const words = [process.execPath, outfile, join(REPOSITORY, 'build/Release/tsrunc'), rounds, counts]
  const output = execFileSync(join(REPOSITORY, 'spec-tests/engines/sandbox'), words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ENGINES_SUITE: 'trixie', ENGINES_NAME: `${process.pid}-bench` },
  })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as ShimFindings
}

const tableOf = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...rest] = rows
  return [head, head.map(() => '---'), ...rest].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const median = (times: readonly number[] = []): number => quantile(times, 0.5)

/** A line for each thing done, a column for each who did it, divided by the first. */
function timesTable(ways: readonly { readonly name: string; readonly times: Times }[]): string {
  const first = ways[0]?.times ?? {}
  const rows = Object.keys(first).map((what) => [
    what,
    ...ways.flatMap(({ times }, index) => {
      const here = median(times[what])
      const ratio = (here / median(first[what])).toFixed(2)
      return index === 0 ? [here.toFixed(1)] : [here.toFixed(1), ratio]
    }),
  ])
  return tableOf([['what', ...ways.flatMap(({ name }, index) => (index === 0 ? [name] : [name, '÷']))], ...rows])
}

/** As a section of Markdown. */
export function shimReport({ containerd, ways }: ShimFindings, rounds: string, counts: string): string {
  const first = ways[0]
  const numbers = first?.memory.map(({ containers }) => containers) ?? []
  const memory = ways.map(({ name, memory }) => [name, ...memory.map(({ kib }) => (kib / 1024).toFixed(1))])
  return `${SHIM_TITLE}

Written by \`npx tsx bench/shim.ts ${rounds} ${counts}\`: ${containerd.split(' ').slice(0, 3).join(' ')} in the sandbox of the engine tests, with its
shim for runc (\`shim-runc\`), which runs runc, crun and tsrunc with a planner, and with tsrunc's own (\`shim-tsrunc\`). Medians of
${rounds} rounds, milliseconds, everybody in each round in a new random order; "÷" divides by the first column.

What containerd asks of a shim, without containerd: the shim's program is started and its task service called, with an overlay to
mount. A life is the start of the shim, Create, Start, Wait, Delete and Shutdown.

${timesTable(ways.map(({ name, tasks }) => ({ name, times: tasks })))}

Whole commands of ctr: a program in Go starts, asks containerd, which writes to its database and prepares a snapshot.

${timesTable(ways.map(({ name, calls }) => ({ name, times: calls })))}

MiB of all of the runtime's processes together (proportional set size: monitors, shims, the resident process, a planner), with so
many containers that sleep:

${tableOf([['who', ...numbers.map(String)], ...memory])}
`
}

async function main(): Promise<void> {
  const [rounds = '20', counts = '1,20,200'] = process.argv.slice(2)
  const section = shimReport(await measure(rounds, counts), rounds, counts)
  writeFileSync(REPORT, replaceSection(readFileSync(REPORT, 'utf8'), SHIM_TITLE, section))
  process.stdout.write(section)
}

if (require.main === module) {
  main().catch((error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exitCode = 1
  })
}
