import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Participant, Runtime } from './runtimes'
import { COLD, FLOOR, KEPT, WARM } from './runtimes'
import type { Measurement, Stopwatch } from './stopwatch'
import type { BundleName, Workplace } from './workplace'

/** Measurements of one round, by the name of what was measured. */
export type Round = Readonly<Record<string, Measurement | readonly Measurement[]>>

/** Something that is measured in each round, for each participant that can do it. */
export interface Scenario {
  readonly title: string
  /** What is measured, in the order of the report. */
  readonly measures: readonly string[]
  readonly floorTakesPart: boolean
  /** Once, before the first round. */
  begin?(bench: Bench, participant: Runtime): Promise<void>
  run(bench: Bench, participant: Runtime): Promise<Round>
}

export interface Bench {
  /** Path of the floor. */
  readonly floor: string
  readonly stopwatch: Stopwatch
  readonly workplace: Workplace
}

/** Milliseconds without any container after which a host counts as quiet. */
export const QUIET_MS = 150
const VERBS = ['create', 'start', 'state', 'kill', 'delete'] as const
export const ALL_VERBS = 'the five together'
/** What --planner is given. */
const MODES: Readonly<Record<string, string>> = { [WARM]: 'on', [KEPT]: 'off', [COLD]: 'off' }
const PLANNED: readonly string[] = ['create', 'run', 'exec', 'update']
/** How many containers begin at once. */
const AT_ONCE = [1, 8, 32] as const

export const SCENARIOS: readonly Scenario[] = [
  {
    title: '`run /bin/true`, the configuration of `spec`',
    measures: ['run', 'run, primed', 'run, quiet'],
    floorTakesPart: true,
    run: async (bench, participant) => {
      await prime(bench)
      const primed = await runTrue(bench, participant)
      const run = await runTrue(bench, participant)
      await sleep(QUIET_MS)
      return { run, 'run, primed': primed, 'run, quiet': await runTrue(bench, participant) }
    },
  },
  {
    title: "`run /bin/true`, an engine's configuration: seccomp profile, limits, sysctls",
    measures: ['run with seccomp'],
    floorTakesPart: false,
    run: async (bench, runtime) => {
      await prime(bench)
      return { 'run with seccomp': await runForeground(bench, runtime, 'engine') }
    },
  },
  {
    title: 'A life in five verbs: create, start, state, kill, delete of `/bin/sleep`',
    measures: [...VERBS, ALL_VERBS],
    floorTakesPart: false,
    run: lifecycle,
  },
  {
    title: '`exec /bin/true` in a container that just runs',
    measures: ['exec'],
    floorTakesPart: false,
    begin: beginSteady,
    run: async (bench, runtime) => ({
      exec: await bench.stopwatch.run(verb(bench, runtime, 'exec', bench.workplace.steadyId(runtime), '/bin/true')),
    }),
  },
  {
    title: '`run /bin/true`, several at once',
    measures: AT_ONCE.map(atOnce),
    floorTakesPart: false,
    run: async (bench, runtime) => {
      const round: Record<string, readonly Measurement[]> = {}
      for (const count of AT_ONCE) round[atOnce(count)] = await runMany(bench, runtime, count)
      return round
    },
  },
  {
    title: '`state`, `kill` with a signal that changes nothing, and `update` of a limit, of a container that just runs',
    measures: ['state, steady', 'kill, steady', 'update, steady'],
    floorTakesPart: false,
    begin: beginSteady,
    run: steady,
  },
  {
    title: 'Doing nothing: `--version`',
    measures: ['--version'],
    floorTakesPart: false,
    run: async ({ stopwatch }, runtime) => ({ '--version': await stopwatch.run([runtime.path, '--version']) }),
  },
]

/**
 * `argv` of a verb, with the state root of this benchmark. A warm call that is not planned warm is an error; of what a cold one
 * asks for nothing is known.
 */
export function verb(bench: Pick<Bench, 'workplace'>, runtime: Runtime, ...rest: readonly string[]): readonly string[] {
  const mode = rest.some((word) => PLANNED.includes(word)) ? MODES[runtime.name] : undefined
  const planner = mode === undefined ? [] : ['--planner', mode]
  if (runtime.name === COLD)
    rmSync(join(bench.workplace.stateRoot(runtime), '~plans'), { recursive: true, force: true })
  return [runtime.path, '--root', bench.workplace.stateRoot(runtime), ...planner, ...rest]
}

function atOnce(count: number): string {
  return `run, ${count} at once`
}

function runMany({ stopwatch, workplace }: Bench, runtime: Runtime, count: number): Promise<readonly Measurement[]> {
  const call = verb({ workplace }, runtime, 'run', '--bundle', workplace.bundle(runtime, 'many'))
  return stopwatch.runAtOnce(count, [...call, workplace.numbered(runtime, '%')])
}

export function canRun(scenario: Scenario, participant: Participant): boolean {
  return participant.path !== undefined && (participant.name !== FLOOR || scenario.floorTakesPart)
}

/** Puts the kernel into the same state for everybody: a floor's container has just ended. What a container costs depends
 *  on it. Joining a cgroup takes a write lock that waits for RCU grace periods, unless somebody took it a moment ago,
 *  and a new network namespace waits for those that are being destroyed. */
export async function prime(bench: Bench): Promise<void> {
  await bench.stopwatch.run([bench.floor, bench.workplace.rootfs, '/bin/true'])
}

/** `run` of /bin/true; of the floor, all that it does. */
export function runTrue(bench: Bench, participant: Runtime): Promise<Measurement> {
  if (participant.name !== FLOOR) return runForeground(bench, participant, 'true')
  return bench.stopwatch.run([participant.path, bench.workplace.rootfs, '/bin/true'])
}

function runForeground(bench: Bench, runtime: Runtime, name: BundleName): Promise<Measurement> {
  const { stopwatch, workplace } = bench
  return stopwatch.run(verb(bench, runtime, 'run', '--bundle', workplace.bundle(runtime, name), workplace.id(runtime)))
}

async function lifecycle(bench: Bench, runtime: Runtime): Promise<Round> {
  await prime(bench)
  const verbs = await live(bench, runtime, bench.workplace.id(runtime), bench.workplace.bundle(runtime, 'sleep'))
  return { ...verbs, [ALL_VERBS]: together(Object.values(verbs)) }
}

/** create, start, state, kill and delete of a container whose program sleeps. `bundle`: its folder. */
export async function live(
  bench: Bench,
  runtime: Runtime,
  id: string,
  bundle: string,
): Promise<Readonly<Record<(typeof VERBS)[number], Measurement>>> {
  const { stopwatch } = bench
  const time = (...rest: readonly string[]) => stopwatch.run(verb(bench, runtime, ...rest))
  const create = await createContainer(bench, runtime, id, bundle)
  const start = await time('start', id)
  const state = await time('state', id)
  const kill = await time('kill', id, 'KILL')
  // The end of the process is the kernel's work, not the runtime's: it is waited for outside of any measurement.
  await stopwatch.reap(create.pid)
  const remove = await time('delete', id)
  return { create: create.measurement, start, state, kill, delete: remove }
}

export async function createContainer(
  bench: Bench,
  runtime: Runtime,
  id = bench.workplace.id(runtime),
  bundle = bench.workplace.bundle(runtime, 'sleep'),
): Promise<{ measurement: Measurement; pid: number }> {
  const { stopwatch, workplace } = bench
  const pidFile = workplace.file(`${runtime.name}.pid`)
  const argv = verb(bench, runtime, 'create', '--bundle', bundle, '--pid-file', pidFile, id)
  const measurement = await stopwatch.run(argv)
  const pid = Number(readFileSync(pidFile, 'utf8'))
  rmSync(pidFile)
  return { measurement, pid }
}

const steadyRuntimes = new Set<string>()

async function beginSteady(bench: Bench, runtime: Runtime): Promise<void> {
  if (steadyRuntimes.has(runtime.name)) return
  steadyRuntimes.add(runtime.name)
  const id = bench.workplace.steadyId(runtime)
  const bundle = bench.workplace.bundle(runtime, 'steady')
  await bench.stopwatch.run(verb(bench, runtime, 'create', '--bundle', bundle, id))
  await bench.stopwatch.run(verb(bench, runtime, 'start', id))
}

async function steady(bench: Bench, runtime: Runtime): Promise<Round> {
  const id = bench.workplace.steadyId(runtime)
  return {
    'state, steady': await bench.stopwatch.run(verb(bench, runtime, 'state', id)),
    'kill, steady': await bench.stopwatch.run(verb(bench, runtime, 'kill', id, 'CONT')),
    'update, steady': await bench.stopwatch.run(verb(bench, runtime, 'update', '--pids-limit', '1000', id)),
  }
}

/** One measurement of all. */
export function together(measurements: readonly Measurement[]): Measurement {
  const sum = (pick: (one: Measurement) => number) => measurements.reduce((total, one) => total + pick(one), 0)
  return {
    wall: sum((one) => one.wall),
    cpu: sum((one) => one.cpu),
    peak: Math.max(...measurements.map((one) => one.peak)),
    status: 0,
    faults: sum((one) => one.faults),
  }
}
