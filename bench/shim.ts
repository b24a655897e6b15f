/**
 * containerd's shim for runc beside tsrunc's own, in one run: `npx tsx bench/shim.ts [ROUNDS [CONTAINERS,…]]`, as root, after
 * `spec-tests/engines/build`. Writes its section of docs/BENCHMARKS.md.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { quantile } from './stats'

export interface Memory {
  readonly containers: number
  /** Proportional set size of all processes of the runtime together. */
  readonly kib: number
}

export interface ShimFindings {
  readonly containerd: string
  readonly ways: readonly {
    readonly name: string
    /** Milliseconds. */
    readonly times: Readonly<Record<string, readonly number[]>>
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

/** As a section of Markdown. */
export function shimReport({ containerd, ways }: ShimFindings, rounds: string): string {
  const first = ways[0]
  const whats = Object.keys(first?.times ?? {})
  const median = (times: readonly number[] = []): number => quantile(times, 0.5)
  const rows = ways.map(({ name, times }) => [
    name,
    ...whats.flatMap((what) => {
      const here = median(times[what])
      return [here.toFixed(1), (here / median(first?.times[what])).toFixed(2)]
    }),
  ])
  const counts = first?.memory.map(({ containers }) => containers) ?? []
  const memory = ways.map(({ name, memory }) => [name, ...memory.map(({ kib }) => (kib / 1024).toFixed(1))])
  return `${SHIM_TITLE}

\`npx tsx bench/shim.ts ${rounds}\`: ${containerd.split(' ').slice(0, 3).join(' ')} with its shim for runc (\`shim-runc\`) and with
tsrunc's own (\`shim-tsrunc\`), everybody in each round, in the sandbox of the engine tests. Medians of ${rounds} rounds, milliseconds, of whole
calls of ctr, which takes most of them; ÷ by the first row.

${tableOf([['who', ...whats.flatMap((what) => [what, '÷'])], ...rows])}

MiB of all of the runtime's processes together (proportional set size), with so many containers that sleep:

${tableOf([['who', ...counts.map(String)], ...memory])}
`
}

function put(section: string): void {
  const text = readFileSync(REPORT, 'utf8')
  const at = text.indexOf(`\n${SHIM_TITLE}`)
  writeFileSync(REPORT, `${at < 0 ? text : text.slice(0, at)}\n${section}`)
}

async function main(): Promise<void> {
  const [rounds = '20', counts = '1,20,200'] = process.argv.slice(2)
  const section = shimReport(await measure(rounds, counts), rounds)
  put(section)
  process.stdout.write(section)
}

if (require.main === module) {
  main().catch((error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exitCode = 1
  })
}
