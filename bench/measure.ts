import { setTimeout as sleep } from 'node:timers/promises'
import { type Memory, measureMemory } from './memory'
import { besideNeighbours, createAndRemove, Neighbours } from './neighbours'
import { FLOOR, type Participant, type Runtime, WARM } from './runtimes'
import { type Bench, canRun, prime, QUIET_MS, runTrue, type Scenario } from './scenarios'
import { type Summary, shuffled, summarize } from './stats'
import type { Measurement } from './stopwatch'

/** One measure of one participant. */
export interface Result {
  /** Microseconds. */
  readonly wall: Summary
  /** Microseconds of processor time. */
  readonly cpu: Summary
  /** KiB, the largest of all runs. */
  readonly peak: number
}

export interface Results {
  /** By measure, then by participant. */
  readonly times: ReadonlyMap<string, ReadonlyMap<string, Result>>
  /** By participant. */
  readonly memory: ReadonlyMap<string, Memory>
  /** What could not be measured, and why. */
  readonly failures: readonly string[]
}

/** How much is measured. */
export interface SeriesSize {
  readonly warmUp: number
  readonly runs: number
  readonly neighbours: number
}

interface Task {
  readonly scenario: Scenario
  readonly participant: Runtime
}

/** Milliseconds until the kernel has done with what so many containers left it to do. */
const SETTLED = 10_000

const isPresent = (participant: Participant): participant is Runtime => participant.path !== undefined

/** The participants that are on this host and keep containers. */
export function runtimesOf(participants: readonly Participant[]): readonly Runtime[] {
  return participants.filter(isPresent).filter(({ name }) => name !== FLOOR)
}

/** Measures everything, `runs` rounds of it after `warmUp` that do not count; in each round everything and everybody
 *  has a turn, in an order of its own. */
export class Series {
  readonly #bench: Bench
  readonly #participants: readonly Participant[]
  readonly #scenarios: readonly Scenario[]
  readonly #samples = new Map<string, Map<string, Measurement[]>>()
  readonly #memory = new Map<string, Memory>()
  readonly #failures: string[] = []
  #tasks: readonly Task[] = []

  constructor(bench: Bench, participants: readonly Participant[], scenarios: readonly Scenario[]) {
    this.#bench = bench
    this.#scenarios = scenarios
    this.#participants = participants
  }

  async run({ warmUp, runs, neighbours }: SeriesSize, progress: (round: number) => void): Promise<Results> {
    await this.#begin()
    for (let round = -warmUp; round < runs; ++round) {
      progress(round)
      for (const task of shuffled(this.#tasks)) await this.#measure(task, round >= 0)
    }
    if (neighbours > 0) await this.#measureBesideNeighbours(neighbours, runs)
    for (const runtime of runtimesOf(this.#participants)) {
      await this.#guard(runtime, 'memory', async () => {
        this.#memory.set(runtime.name, await measureMemory(this.#bench, runtime))
      })
    }
    return { times: this.#summaries(), memory: this.#memory, failures: this.#failures }
  }

  async #begin(): Promise<void> {
    const tasks: Task[] = []
    for (const participant of this.#participants.filter(isPresent)) {
      for (const scenario of this.#scenarios.filter((each) => canRun(each, participant))) {
        const ready = await this.#guard(participant, scenario.title, async () => {
          await scenario.begin?.(this.#bench, participant)
        })
        if (ready) tasks.push({ scenario, participant })
      }
    }
    this.#tasks = tasks
  }

  /**
   * Everybody creates without neighbours, beside them, which are tsrunc's and wait to be started, and without them again: what a
   * thousand containers leave behind in the kernel is not theirs. The floor, which only runs, shows the kernel's own part.
   */
  async #measureBesideNeighbours(count: number, runs: number): Promise<void> {
    const runtimes = runtimesOf(this.#participants)
    const host = runtimes.find(({ name }) => name === WARM) ?? runtimes[0]
    if (host === undefined) return
    const neighbours = new Neighbours(this.#bench, host)
    const measure = async (name: string, rounds: number) => {
      if (rounds === 0) return
      await sleep(SETTLED)
      for (let round = 0; round < rounds; ++round) {
        for (const one of shuffled(this.#participants.filter(isPresent))) {
          await this.#guard(one, name, async () => {
            this.#keep(name, one.name, [await this.#besideOthers(one)])
          })
        }
      }
    }
    const before = Math.ceil(runs / 2)
    try {
      await measure(besideNeighbours(0), before)
      const made = await this.#guard(host, 'neighbours', () => neighbours.make(count))
      if (made) await measure(besideNeighbours(count), runs)
    } finally {
      await neighbours.remove()
    }
    await measure(besideNeighbours(0), runs - before)
  }

  async #besideOthers(one: Runtime): Promise<Measurement> {
    if (one.name === FLOOR) {
      await prime(this.#bench)
      return runTrue(this.#bench, one)
    }
    // The kernel removes a cgroup behind rmdir(2), under a lock that mkdir(2) waits for, the longer the more there are.
    await sleep(QUIET_MS)
    return createAndRemove(this.#bench, one)
  }

  async #measure(task: Task, counts: boolean): Promise<void> {
    const { scenario, participant } = task
    const done = await this.#guard(participant, scenario.title, async () => {
      const round = await scenario.run(this.#bench, participant)
      if (!counts) return
      for (const [measure, found] of Object.entries(round)) this.#keep(measure, participant.name, [found].flat())
    })
    if (!done) this.#tasks = this.#tasks.filter((each) => each !== task)
  }

  #keep(measure: string, participant: string, measurements: readonly Measurement[]): void {
    const byParticipant = this.#samples.get(measure) ?? new Map<string, Measurement[]>()
    this.#samples.set(measure, byParticipant)
    const samples = byParticipant.get(participant) ?? []
    byParticipant.set(participant, samples)
    samples.push(...measurements)
  }

  /** A participant that fails at something is reported and not asked for it again; the others go on.
   *  @returns whether it worked. */
  async #guard(participant: Runtime, what: string, action: () => Promise<void>): Promise<boolean> {
    try {
      await action()
      return true
    } catch (error) {
      this.#failures.push(`${participant.name}, ${what}: ${error instanceof Error ? error.message : String(error)}`)
      if (participant.name !== FLOOR) this.#bench.workplace.discard(participant)
      return false
    }
  }

  #summaries(): ReadonlyMap<string, ReadonlyMap<string, Result>> {
    return new Map(
      [...this.#samples].map(([measure, byParticipant]) => [
        measure,
        new Map([...byParticipant].map(([name, samples]) => [name, summarizeAll(samples)])),
      ]),
    )
  }
}

function summarizeAll(samples: readonly Measurement[]): Result {
  return {
    wall: summarize(samples.map(({ wall }) => wall)),
    cpu: summarize(samples.map(({ cpu }) => cpu)),
    peak: samples.reduce((most, { peak }) => Math.max(most, peak), 0),
  }
}
