import { readFileSync, rmSync } from 'node:fs'
import type { Runtime } from './runtimes'
import { type Bench, verb } from './scenarios'
import { quantile } from './stats'
import type { BundleName } from './workplace'

/** An event of a trace that `tsrunc --trace` writes. Times are microseconds. */
export interface Span {
  readonly ph: string
  readonly cat: string
  readonly name: string
  readonly pid: number
  readonly ts: number
  readonly dur: number
}

/** Microseconds by phase, of the process that was called and of the container's first one. */
export interface Phases {
  readonly host: ReadonlyMap<string, number>
  readonly init: ReadonlyMap<string, number>
}

const WHOLE = 'verb'
const CASES: readonly { readonly title: string; readonly bundle: BundleName }[] = [
  { title: '`run /bin/true`, the configuration of `spec`', bundle: 'true' },
  { title: "`run /bin/true`, an engine's configuration: seccomp profile, limits, sysctls", bundle: 'engine' },
]

/** What counts as one phase: node's steps by their names, operations by what they are about. */
function phaseOf({ cat, name }: Span): string {
  if (cat === WHOLE) return 'not in any span'
  if (cat === 'node') return name === 'node' ? 'node: the rest' : `node: ${name}`
  return cat
}

/** How long each span took without those inside of it, added up by phase. `spans`: of one process. */
function ownTimes(spans: readonly Span[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  const open: Span[] = []
  const add = (span: Span, time: number) => times.set(phaseOf(span), (times.get(phaseOf(span)) ?? 0) + time)
  for (const span of spans.toSorted((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    for (let last = open.at(-1); last !== undefined && last.ts + last.dur <= span.ts; last = open.at(-1)) open.pop()
    const around = open.at(-1)
    if (around !== undefined) add(around, -span.dur)
    add(span, span.dur)
    open.push(span)
  }
  return times
}

/** @throws Error for a text that is no whole trace. */
export function phasesOf(text: string): Phases {
  const spans = (JSON.parse(text) as readonly Span[]).filter(({ ph }) => ph === 'X')
  const whole = spans.find(({ cat }) => cat === WHOLE)
  if (whole === undefined) throw new Error('the trace has no span of the whole call')
  return {
    host: ownTimes(spans.filter(({ pid }) => pid === whole.pid)),
    init: ownTimes(spans.filter(({ pid }) => pid !== whole.pid)),
  }
}

function table(head: string, runs: readonly ReadonlyMap<string, number>[]): string {
  const names = [...new Set(runs.flatMap((times) => [...times.keys()]))]
  const medians = names.map((name) => ({
    name,
    time: quantile(
      runs.map((times) => times.get(name) ?? 0),
      0.5,
    ),
  }))
  const total = medians.reduce((sum, { time }) => sum + time, 0)
  const rows = medians
    .toSorted((a, b) => b.time - a.time)
    .map(({ name, time }) => `| ${name} | ${(time / 1000).toFixed(3)} | ${((100 * time) / total).toFixed(1)} % |`)
  return [`| ${head} | ms | share |`, '| --- | ---: | ---: |', ...rows].join('\n')
}

/** Where the time of `run` goes, as Markdown: medians of `runs` traced runs after `warmUp` others. */
export async function phaseReport(bench: Bench, runtime: Runtime, warmUp: number, runs: number): Promise<string> {
  const { stopwatch, workplace } = bench
  const file = workplace.file('trace.json')
  const sections: string[] = []
  for (const { title, bundle } of CASES) {
    const id = workplace.id(runtime)
    const call = ['run', '--bundle', workplace.bundle(runtime, bundle), id]
    const phases: Phases[] = []
    for (let round = -warmUp; round < runs; ++round) {
      await stopwatch.run(verb(bench, runtime, '--trace', file, ...call))
      if (round >= 0) phases.push(phasesOf(readFileSync(file, 'utf8')))
    }
    rmSync(file)
    const host = table(
      'in the process that is called',
      phases.map((each) => each.host),
    )
    const init = table(
      "meanwhile, in the container's first process",
      phases.map((each) => each.init),
    )
    sections.push(`## ${title}\n\nMedians of ${runs} runs.\n\n${host}\n\n${init}`)
  }
  return sections.join('\n\n')
}
