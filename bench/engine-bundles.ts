import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adapt } from '../scripts/bundles/adapt'
import type { EngineConfig } from '../scripts/bundles/config'
import { stringifyExactly } from '../scripts/bundles/exact_json'
import type { NeighbourNamespaces } from '../scripts/bundles/namespaces'
import { Place } from '../scripts/bundles/place'
import { makeBusyboxRoot } from './bundle'
import type { Runtime } from './runtimes'
import { type Bench, prime, type Scenario, verb } from './scenarios'

/** Of the configurations in a folder, by file: what engines ask for when nobody asks for anything special. */
const NAMES = ['docker-default', 'containerd-ctr-default', 'podman-default'] as const

const measureOf = (name: string): string => `run ${name}`

/**
 * `run /bin/true` with configurations as engines wrote them: their profile, mounts, devices, limits and hooks. What only the engine's
 * machine has is replaced (scripts/bundles/adapt.ts).
 */
export class EngineBundles {
  readonly #folder: string
  readonly #places = new Map<string, Place>()
  /** Whose namespaces are joined. */
  readonly #neighbours: NeighbourNamespaces[] = []

  /** @param folder with NAME.json */
  constructor(folder: string) {
    this.#folder = folder
  }

  readonly scenario = (): Scenario => ({
    title: '`run /bin/true`, configurations that engines wrote',
    measures: NAMES.map(measureOf),
    floorTakesPart: false,
    begin: async (_bench, runtime) => {
      for (const name of NAMES) await this.#make(name, runtime)
    },
    run: async (bench, runtime) => {
      const round: Record<string, Awaited<ReturnType<typeof bench.stopwatch.run>>> = {}
      for (const name of NAMES) {
        await prime(bench)
        round[measureOf(name)] = await bench.stopwatch.run(this.#call(bench, name, runtime))
      }
      return round
    },
  })

  /** @returns cgroups that runtimes had left behind. */
  async remove(): Promise<readonly string[]> {
    for (const neighbour of this.#neighbours.splice(0)) await neighbour.remove()
    return [...this.#places.values()].flatMap((place) => place.remove())
  }

  #place(name: string, runtime: Runtime): Place {
    const key = `${runtime.name} ${name}`
    const place = this.#places.get(key) ?? new Place(this.#places.size)
    this.#places.set(key, place)
    return place
  }

  async #make(name: string, runtime: Runtime): Promise<void> {
    const place = this.#place(name, runtime)
    makeBusyboxRoot(place.rootfs)
    const config = JSON.parse(readFileSync(join(this.#folder, `${name}.json`), 'utf8')) as EngineConfig
    const { neighbour } = await adapt(config, place)
    if (neighbour !== undefined) this.#neighbours.push(neighbour)
    // Debian 12's crun refuses versions that came after it.
    config.ociVersion = '1.0.2'
    if (config.process !== undefined) config.process.args = ['/bin/true']
    writeFileSync(join(place.folder, 'config.json'), stringifyExactly(config))
  }

  #call(bench: Bench, name: string, runtime: Runtime): readonly string[] {
    const { folder, id } = this.#place(name, runtime)
    return verb(bench, runtime, 'run', '--bundle', folder, id)
  }
}
