import { GOALS_HEAD, goalRows } from './goals'
import type { HostFacts } from './host'
import type { Result, Results } from './measure'
import type { BenchOptions } from './options'
import { FLOOR, type Participant } from './runtimes'
import { QUIET_MS, type Scenario as Whole } from './scenarios'

/** All that a report is made of. */
export interface Findings {
  readonly host: HostFacts
  readonly options: BenchOptions
  readonly participants: readonly Participant[]
  readonly scenarios: readonly Scenario[]
  readonly results: Results
  /** Cgroups that were left behind, and removed by the benchmark. */
  readonly leftovers: readonly string[]
}

type Scenario = Pick<Whole, 'title' | 'measures' | 'floorTakesPart'>

/** What ratios are quoted to. */
const REFERENCES = [FLOOR, 'crun', 'runc'] as const
const NOT_MEASURED = '–'

/** The report as Markdown. */
export function markdown(findings: Findings, figure: string): string {
  const sections = [
    `${introduction(findings)}\n\n![medians](${figure})`,
    ...findings.scenarios.map((scenario) => timesSection(scenario, findings)),
  ]
  return `${[...sections, neighboursSection(findings), memorySection(findings), goalsSection(findings), problems(findings)].filter(Boolean).join('\n\n')}\n`
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
  const bundles = options.bundles === undefined ? '' : ' --bundles DIR'
  return `# Benchmarks

Written by \`npm run bench -- --runs ${options.runs} --neighbours ${options.neighbours} --runtimes ${names}${bundles}\`, which repeats it. Figures of one machine say
little about another; the ratios say more. Each round measures everything once, in a new random order, so that all share
the same good and bad moments. A measurement is fork, exec and wait of the command, without a shell. \`floor\` is
\`bench/floor.cc\`, the least kernel work that starts and reaps such a container; it mounts no cgroup file system and loads
no seccomp filter. \`tsrunc\` has a planner that runs. \`tsrunc-kept\` has none, but the plans that are kept in a file of what came before;
\`tsrunc-cold\` has neither, as for a configuration that never came, and starts node for \`create\`, \`run\` and \`exec\`. Both do for \`update\`.
The columns "÷" divide the medians. CPU is that of the command and of its children; what the planner, a process of its own, spends
on a call is in the times only. State lies on a tmpfs for all. With more to run than there are cores a call waits for its turn, once more where it asks the
planner: judge by a run whose "load before" is small.

What a container costs depends on what the kernel did just before: joining a cgroup waits for RCU grace periods, unless
somebody else did so a moment ago, and a new network namespace waits for those that are being destroyed. So \`run\` is
measured right after another run of the same runtime, as in a loop; \`run, primed\`, \`run with seccomp\` and \`create\`
right after the floor has run a container, which is not counted and helps those most that are there soonest; and
\`run, quiet\` after ${QUIET_MS} ms without any container: there the kernel's waits, the same for all, outweigh the rest.

On cgroup v1 the first cgroup of a host in the hierarchy of cpusets costs up to 6 ms on some machines, because the kernel changes its own code (a static
key): each container that is alone pays for it, of whichever runtime, those beside neighbours do not.

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

function timesSection({ title, measures, floorTakesPart }: Scenario, findings: Findings): string {
  const { participants, results } = findings
  const rows = measures.flatMap((measure) => {
    const byParticipant = results.times.get(measure)
    return participants
      .filter(({ name, path }) => path !== undefined && (name !== FLOOR || floorTakesPart))
      .map(({ name }) => timesRow(measure, name, byParticipant))
  })
  const head = [
    'what',
    'who',
    'p50 ms',
    'p90 ms',
    'p99 ms',
    ...REFERENCES.map((name) => `÷ ${name}`),
    'CPU ms',
    'peak MiB',
  ]
  return `## ${title}\n\n${table(head, rows)}`
}

function neighboursSection(findings: Findings): string {
  const measures = [...findings.results.times.keys()].filter((measure) => measure.endsWith('neighbours'))
  if (measures.length === 0) return ''
  const title = '`create` beside containers of tsrunc that wait to be started'
  const section = timesSection({ title, measures, floorTakesPart: true }, findings)
  return `${section}

The floor makes nothing that stays: its row is its \`run\`, and says how much of the difference is the kernel's. Half of the
rounds without neighbours came before them, the others behind, each time ten seconds after the last was made or removed. Each
\`create\` begins ${QUIET_MS} ms after the end of another container: the kernel goes on removing its cgroups, under a lock, and longer
beside others.`
}

function timesRow(measure: string, name: string, byParticipant: ReadonlyMap<string, Result> | undefined): Row {
  const result = byParticipant?.get(name)
  if (result === undefined) return [measure, name, 'failed', ...Array(REFERENCES.length + 4).fill(NOT_MEASURED)]
  const ratios = REFERENCES.map((reference) => {
    const other = byParticipant?.get(reference)
    return other === undefined ? NOT_MEASURED : (result.wall.p50 / other.wall.p50).toFixed(2)
  })
  const { wall, cpu, peak } = result
  return [measure, name, ms(wall.p50), ms(wall.p90), ms(wall.p99), ...ratios, ms(cpu.p50), mib(peak)]
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
  const rows = goalRows((measure, who) => results.times.get(measure)?.get(who)?.wall.p50)
  if (rows.length === 0) return ''
  return `## Goals\n\n${table(GOALS_HEAD, rows)}`
}

function problems({ results, leftovers }: Findings): string {
  const failures = results.failures.map((failure) => `- failed: ${failure.replaceAll(/\s+/g, ' ')}`)
  const left = leftovers.map((path) => `- left behind: ${path}`)
  return failures.length + left.length === 0 ? '' : `## Problems\n\n${[...failures, ...left].join('\n')}`
}

export type Row = readonly string[]

/** Of Markdown. */
export function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const ms = (microseconds: number): string => (microseconds / 1000).toFixed(2)
const mib = (kib: number): string => (kib / 1024).toFixed(1)
