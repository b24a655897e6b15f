import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adapt } from '../scripts/bundles/adapt'
import type { EngineConfig } from '../scripts/bundles/config'
import { stringifyExactly } from '../scripts/bundles/exact_json'
import type { NeighbourNamespaces } from '../scripts/bundles/namespaces'
import { Place } from '../scripts/bundles/place'
import { makeBusyboxRoot } from './bundle'
import type { Runtime } from './runtimes'
import { type Bench, live, prime, type Round, type Scenario, together, verb } from './scenarios'
import type { Measurement } from './stopwatch'

/** Of the configurations in a folder, by file: what engines ask for when nobody asks for anything special. */
const NAMES = ['docker-default', 'containerd-ctr-default', 'podman-default'] as const

const SLEEP = ['/bin/sleep', '1000']

/** What is measured of each. */
const runOf = (name: string): string => `run ${name}`
const lifeOf = (name: string): string => `the five together, ${name}`
const execOf = (name: string): string => `exec, ${name}`

/**
 * `run /bin/true`, a life in five verbs and `exec /bin/true` with configurations as engines wrote them: their profile, mounts, devices,
 * limits and hooks. What only the engine's machine has is replaced (scripts/bundles/adapt.ts).
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
    title: '`run`, a life in five verbs and `exec`, configurations that engines wrote',
    measures: [runOf, lifeOf, execOf].flatMap((measureOf) => NAMES.map(measureOf)),
    floorTakesPart: false,
    begin: async (bench, runtime) => {
      for (const name of NAMES) {
        const place = this.#place(name, runtime)
        await this.#make(name, place)
        await this.#beginSteady(bench, runtime, place)
      }
    },
    run: async (bench, runtime) => {
      let round: Round = {}
      for (const name of NAMES) round = { ...round, ...(await this.#measure(bench, name, runtime)) }
      return round
    },
  })

  /** To be called when no container is there any more. @returns cgroups that runtimes had left behind. */
  async remove(): Promise<readonly string[]> {
    for (const neighbour of this.#neighbours.splice(0)) await neighbour.remove()
    const places = [...this.#places.values()]
    this.#places.clear()
    return places.flatMap((place) => place.remove())
  }

  #place(name: string, runtime: Runtime): Place {
    const key = `${runtime.name} ${name}`
    const place = this.#places.get(key) ?? new Place(this.#places.size)
    this.#places.set(key, place)
    return place
  }

  /** Three bundles with one root: of a program that ends, of one that sleeps, and of one that sleeps all the time. */
  async #make(name: string, place: Place): Promise<void> {
    makeBusyboxRoot(place.rootfs)
    const config = JSON.parse(readFileSync(join(this.#folder, `${name}.json`), 'utf8')) as EngineConfig
    const { neighbour } = await adapt(config, place)
    if (neighbour !== undefined) this.#neighbours.push(neighbour)
    // Debian 12's crun refuses versions that came after it.
    config.ociVersion = '1.0.2'
    config.root = { ...config.root, path: place.rootfs }
    const { process, linux } = config
    if (process === undefined || linux === undefined) throw new Error(`${name}.json is of no container that runs`)
    const write = (bundle: string, args: readonly string[], id: string): void => {
      process.args = args
      linux.cgroupsPath = `/${id}`
      writeFileSync(join(place.directory(bundle), 'config.json'), stringifyExactly(config))
    }
    write('true', ['/bin/true'], place.id)
    write('sleep', SLEEP, place.id)
    write('steady', SLEEP, steadyId(place))
  }

  async #beginSteady(bench: Bench, runtime: Runtime, place: Place): Promise<void> {
    const id = steadyId(place)
    bench.workplace.keep(runtime, place.id)
    bench.workplace.keep(runtime, id)
    await bench.stopwatch.run(verb(bench, runtime, 'create', '--bundle', place.directory('steady'), id))
    await bench.stopwatch.run(verb(bench, runtime, 'start', id))
  }

  async #measure(bench: Bench, name: string, runtime: Runtime): Promise<Readonly<Record<string, Measurement>>> {
    const place = this.#place(name, runtime)
    const time = (...rest: readonly string[]) => bench.stopwatch.run(verb(bench, runtime, ...rest))
    await prime(bench)
    const run = await time('run', '--bundle', place.directory('true'), place.id)
    await prime(bench)
    const verbs = await live(bench, runtime, place.id, place.directory('sleep'))
    const exec = await time('exec', steadyId(place), '/bin/true')
    return { [runOf(name)]: run, [lifeOf(name)]: together(Object.values(verbs)), [execOf(name)]: exec }
  }
}

const steadyId = (place: Place): string => `${place.id}-steady`
