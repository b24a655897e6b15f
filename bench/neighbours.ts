import type { Runtime } from './runtimes'
import { type Bench, createContainer, verb } from './scenarios'
import type { Measurement } from './stopwatch'

/** What `create` is called in the report when `count` other containers are there. */
export function besideNeighbours(count: number): string {
  return `create, ${count} neighbours`
}

/** Containers that wait, each with namespaces, a cgroup and mounts of its own, while others are measured. */
export class Neighbours {
  readonly #bench: Bench
  readonly #host: Runtime
  readonly #pids: number[] = []

  constructor(bench: Bench, host: Runtime) {
    this.#bench = bench
    this.#host = host
  }

  get count(): number {
    return this.#pids.length
  }

  async make(count: number): Promise<void> {
    const bundle = this.#bench.workplace.bundle(this.#host, 'many')
    while (this.count < count) {
      const { pid } = await createContainer(this.#bench, this.#host, this.#id(this.count), bundle)
      this.#pids.push(pid)
    }
  }

  async remove(): Promise<void> {
    const { stopwatch } = this.#bench
    while (this.#pids.length > 0) {
      const pid = this.#pids.pop() ?? 0
      await stopwatch.run(verb(this.#bench, this.#host, 'kill', this.#id(this.count), 'KILL'))
      await stopwatch.reap(pid)
      await stopwatch.run(verb(this.#bench, this.#host, 'delete', this.#id(this.count)))
    }
  }

  #id(number: number): string {
    return this.#bench.workplace.numbered(this.#host, `neighbour-${number}`)
  }
}

/** How long `create` takes; the container is removed again. */
export async function createAndRemove(bench: Bench, runtime: Runtime): Promise<Measurement> {
  const { stopwatch, workplace } = bench
  const { measurement, pid } = await createContainer(bench, runtime)
  await stopwatch.run(verb(bench, runtime, 'kill', workplace.id(runtime), 'KILL'))
  await stopwatch.reap(pid)
  await stopwatch.run(verb(bench, runtime, 'delete', workplace.id(runtime)))
  return measurement
}
