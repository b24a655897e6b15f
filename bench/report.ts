import { GOALS, type Goal } from './goals'
import type { HostFacts } from './host'
import type { Result, Results } from './measure'
import type { BenchOptions } from './options'
import { FLOOR, type Participant } from './runtimes'
import { QUIET_MS, SCENARIOS } from './scenarios'

/** All that a report is made of. */
export interface Findings {
  readonly host: HostFacts
  readonly options: BenchOptions
  readonly participants: readonly Participant[]
  readonly results: Results
  /** Cgroups that were left behind, and removed by the benchmark. */
  readonly leftovers: readonly string[]
}

/** What ratios are quoted to. */
const REFERENCES = [FLOOR, 'crun', 'runc'] as const
const NOT_MEASURED = '–'

/** The report as Markdown. */
export function markdown(findings: Findings): string {
  const sections = [introduction(findings), ...SCENARIOS.map((scenario) => timesSection(scenario, findings))]
  return `${[...sections, memorySection(findings), goalsSection(findings), problems(findings)].filter(Boolean).join('\n\n')}\n`
}

/** The report as one JSON value. */
export function json(findings: Findings): string {
  const { host, options, participants, results, leftovers } = findings
  const times = [...results.times].map(([measure, by]) => [measure, Object.fromEntries(by)] as const)
  const plain = { times: Object.fromEntries(times), memory: Object.fromEntries(results.memory) }
  const shown = participants.map(({ name, path, version }) => ({ name, present: path !== undefined, version }))
  const { runs, warmUp } = options
  return JSON.stringify(
    { host, runs, warmUp, participants: shown, ...plain, failures: results.failures, leftovers },
    null,
    2,
  )
}

function introduction({ host, options, participants }: Findings): string {
  const names = participants.map(({ name }) => name).join(',')
  return `# Benchmarks

Written by \`npm run bench -- --runs ${options.runs} --runtimes ${names}\`, which repeats it. Figures of one machine say
little about another; the ratios say more. Each round measures everything once, in a new random order, so that all share
the same good and bad moments. A measurement is fork, exec and wait of the command, without a shell. \`floor\` is
\`bench/floor.cc\`, the least kernel work that starts and reaps such a container; it mounts no cgroup file system and loads
no seccomp filter. The columns "÷" divide the medians.

What a container costs depends on what the kernel did just before: joining a cgroup waits for RCU grace periods, unless
somebody else did so a moment ago, and a new network namespace waits for those that are being destroyed. So \`run\` is
measured right after another run of the same runtime, as in a loop; \`run, primed\`, \`run with seccomp\` and \`create\`
right after the floor has run a container, which is not counted and helps those most that are there soonest; and
\`run, quiet\` after ${QUIET_MS} ms without any container: there the kernel's waits, the same for all, outweigh the rest.

${table(['host', ''], hostRows(host, options))}

${table(['who takes part', 'version'], participants.map(participantRow))}`
}

function hostRows(host: HostFacts, options: BenchOptions): readonly Row[] {
  return [
    ['kernel', host.kernel],
    ['processor', `${host.processor}, ${host.cores} cores, ${host.memory} GiB`],
    ['load before', host.load.toFixed(2)],
    ['cgroups', host.cgroups],
    ['distribution', host.distribution],
    ['Node', host.node],
    ['rounds', `${options.runs}, after ${options.warmUp} that do not count`],
  ]
}

function participantRow({ name, path, version }: Participant): Row {
  return [name, path === undefined ? 'absent: not measured' : version]
}

function timesSection(scenario: (typeof SCENARIOS)[number], findings: Findings): string {
  const { participants, results } = findings
  const rows = scenario.measures.flatMap((measure) => {
    const byParticipant = results.times.get(measure)
    return participants
      .filter(({ name, path }) => path !== undefined && (name !== FLOOR || scenario.floorTakesPart))
      .map(({ name }) => timesRow(measure, name, byParticipant))
  })
  const head = ['what', 'who', 'p50 ms', 'p90 ms', ...REFERENCES.map((name) => `÷ ${name}`), 'CPU ms', 'peak MiB']
  return `## ${scenario.title}\n\n${table(head, rows)}`
}

function timesRow(measure: string, name: string, byParticipant: ReadonlyMap<string, Result> | undefined): Row {
  const result = byParticipant?.get(name)
  if (result === undefined) return [measure, name, 'failed', ...Array(REFERENCES.length + 3).fill(NOT_MEASURED)]
  const ratios = REFERENCES.map((reference) => {
    const other = byParticipant?.get(reference)
    return other === undefined ? NOT_MEASURED : (result.wall.p50 / other.wall.p50).toFixed(2)
  })
  const { wall, cpu, peak } = result
  return [measure, name, ms(wall.p50), ms(wall.p90), ...ratios, ms(cpu.p50), mib(peak)]
}

function memorySection({ participants, results }: Findings): string {
  const rows = participants
    .filter(({ name, path }) => name !== FLOOR && path !== undefined)
    .map(({ name }): Row => {
      const memory = results.memory.get(name)
      return memory === undefined ? [name, 'failed', 'failed'] : [name, mib(memory.waitingRun), mib(memory.createdInit)]
    })
  return `## Memory while a container runs or waits

Proportional set size in MiB. The peaks above are the largest resident size of any single process of the command.

${table(['who', '`run` waiting in the foreground', 'init between create and start'], rows)}`
}

function goalsSection({ results }: Findings): string {
  const rows = GOALS.map((goal) => goalRow(goal, results)).filter((row) => row !== undefined)
  if (rows.length === 0) return ''
  return `## Goals\n\n${table(['what', 'goal', 'measured', ''], rows)}`
}

function goalRow(goal: Goal, { times }: Results): Row | undefined {
  const own = times.get(goal.measure)?.get('tsrunc')
  const other = times.get(goal.measure)?.get(goal.reference)
  if (own === undefined || other === undefined) return undefined
  const ratio = own.wall.p50 / other.wall.p50
  const met = ratio <= goal.most ? 'met' : '**missed**'
  return [goal.measure, `≤ ${goal.most} × ${goal.reference}`, `${ratio.toFixed(2)} × ${goal.reference}`, met]
}

function problems({ results, leftovers }: Findings): string {
  const failures = results.failures.map((failure) => `- failed: ${failure.replaceAll(/\s+/g, ' ')}`)
  const left = leftovers.map((path) => `- left behind: ${path}`)
  return failures.length + left.length === 0 ? '' : `## Problems\n\n${[...failures, ...left].join('\n')}`
}

type Row = readonly string[]

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const ms = (microseconds: number): string => (microseconds / 1000).toFixed(2)
const mib = (kib: number): string => (kib / 1024).toFixed(1)
