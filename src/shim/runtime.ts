/** tsrunc's verbs, as programs. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandOptions, lastLine, type Outcome, run } from './command'
import { ShimError } from './errors'
import type { Options } from './options'
import type { ContainerRecord } from './store'

/** The executable under its other name (native/shim/shim.h). */
const HELPER = 'containerd-shim-tsrunc-v2'

/** Its exit code where it could not mount (native/shim/mounts.h); no verb that it goes on with has this one. */
const NOT_MOUNTED = 125

/** Verbs that need a plan. */
const PLANNED: readonly string[] = ['create', 'exec', 'update']

/** Cgroups as systemd names them, "SLICE:PREFIX:NAME": nobody means a path by it. */
const OF_SYSTEMD = /"cgroupsPath"\s*:\s*"[^"/:]*\.slice:[^":/]*:[^":/]+"/
const HOOK_OF_DELETE = /"poststop"\s*:\s*\[/

/** What the shim has to know of a configuration. */
export interface Wishes {
  readonly systemd: boolean
  /** A hook may look at the root file system while the container is deleted. */
  readonly deleteHook: boolean
}

export function readWishes(bundle: string, options: Options): Wishes {
  const text = readFileSync(join(bundle, 'config.json'), 'utf8')
  return { systemd: options.systemdCgroup || OF_SYSTEMD.test(text), deleteHook: HOOK_OF_DELETE.test(text) }
}

interface CallOptions extends Partial<CommandOptions> {
  /** mountWords(): what is mounted first, by the same process. */
  readonly mounts?: readonly string[]
}

/** Whether calls with this directory of containers find their planner in this process. */
export type Plans = (root: string) => Promise<boolean>

type Place = Pick<ContainerRecord, 'id' | 'options' | 'systemd'>

export class Runtime {
  readonly namespace: string
  readonly #executable: string
  readonly #plans: Plans | undefined

  constructor(executable: string, namespace: string, plans?: Plans) {
    this.#executable = executable
    this.#plans = plans
    this.namespace = namespace
  }

  root(options: Options): string {
    return join(options.root, this.namespace)
  }

  monitor({ id, options }: Place, name: string): string {
    return join(this.root(options), id, 'monitor', name)
  }

  /**
   * A verb whose failure is the caller's to look at.
   *
   * @throws ShimError what cannot be mounted
   */
  async attempt(
    place: Place,
    verb: string,
    args: readonly string[],
    { mounts = [], ...options }: CallOptions = {},
  ): Promise<Outcome> {
    const root = this.root(place.options)
    mkdirSync(root, { recursive: true, mode: 0o700 })
    const planned = PLANNED.includes(verb) && ((await this.#plans?.(root)) ?? false)
    const globals = [
      ...['--root', root, ...(place.systemd ? ['--systemd-cgroup'] : [])],
      ...(planned ? ['--planner', 'wait'] : []),
    ]
    const call = [...globals, verb, ...args]
    const what = `${verb} ${place.id}`
    if (mounts.length === 0) return await run(this.#executable, call, { what, ...options })
    const words = ['mounted', String(mounts.length), ...mounts, this.#executable, ...call]
    const outcome = await run(this.#executable, words, { what, ...options, argv0: HELPER })
    if (outcome.status === NOT_MOUNTED) throw new ShimError('unknown', lastLine(outcome.stderr))
    return outcome
  }

  /** @throws ShimError with what tsrunc says */
  async verb(place: Place, verb: string, args: readonly string[], options: CallOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(place, verb, args, options)
    if (status !== 0) throw new ShimError('unknown', `OCI runtime ${verb} failed: ${lastLine(stderr)}`)
    return stdout
  }

  async #help(args: readonly string[], what: string): Promise<void> {
    const { status, stderr } = await run(this.#executable, args, { what, argv0: HELPER })
    if (status !== 0) throw new ShimError('unknown', lastLine(stderr))
  }

  mount(words: readonly string[]): Promise<void> {
    return this.#help(['mount', ...words], 'mount the root file system')
  }

  unmount(path: string): Promise<void> {
    return this.#help(['unmount', path], 'unmount the root file system')
  }

  makeFifos(paths: readonly string[]): Promise<void> {
    return this.#help(['fifo', ...paths], 'make fifos')
  }
}
