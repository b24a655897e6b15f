import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBusyboxRoot } from '../../bench/bundle'
import { type Adapted, adapt, MARK } from './adapt'
import type { EngineConfig } from './config'
import { stringifyExactly } from './exact_json'
import { Place } from './place'

/** What became of one configuration. */
export interface Outcome {
  readonly ran: boolean
  /** The container's output when it ran, the runtime's error when it did not. */
  readonly said: string
  readonly notes: readonly string[]
  /** What went wrong besides: hooks that were not called, things left behind. */
  readonly findings: readonly string[]
}

const RUN_TIMEOUT_MS = 60_000

interface Ended {
  readonly status: number | string
  readonly output: string
}

/** Makes a bundle of `config` and runs it in the foreground with `runtime`, then removes everything. */
export async function tryConfig(config: EngineConfig, runtime: string, number: number): Promise<Outcome> {
  const place = new Place(number)
  let adapted: Adapted | undefined
  try {
    makeBusyboxRoot(place.rootfs)
    adapted = await adapt(config, place)
    writeFileSync(join(place.folder, 'config.json'), stringifyExactly(config))
    const ended = await runBundle(config, place, runtime)
    const ran = ended.status === 0 && ended.output.includes(MARK)
    const said = ran ? ended.output : `status ${ended.status}: ${lastError(place) || ended.output}`
    const findings = [...(ran ? silentHooks(adapted, place) : []), ...mountsLeft(place)]
    return { ran, said: said.trim(), notes: adapted.notes, findings: [...findings, ...(await clear(adapted, place))] }
  } catch (error) {
    if (adapted?.neighbour !== undefined) await adapted.neighbour.remove()
    place.remove()
    throw error
  }
}

async function runBundle(config: EngineConfig, place: Place, runtime: string): Promise<Ended> {
  const base = [runtime, '--root', place.state, '--log', join(place.folder, 'log')]
  const run = [...base, 'run', '--bundle', place.folder, place.id]
  // A container with a terminal wants one from its caller: script(1) is a caller that has one.
  const argv = config.process?.terminal === true ? ['script', '-qec', run.map(quote).join(' '), '/dev/null'] : run
  const ended = await execute(argv)
  spawnSync(runtime, [...base.slice(1), 'delete', '--force', place.id], { stdio: 'ignore' })
  return ended
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

function execute([program = '', ...args]: readonly string[]): Promise<Ended> {
  // No /dev/null: crun gives standard streams to the container's user, and that one is the whole host's.
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  child.stdin.end()
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    output += data.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status, signal) =>
      setImmediate(() => resolve({ status: status ?? `signal ${signal}`, output })),
    )
  })
}

/** What an engine would show: the last line of the log. */
function lastError(place: Place): string {
  const log = join(place.folder, 'log')
  return existsSync(log) ? (readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '') : ''
}

/** runtime.md "State": a hook is given the container's state on its standard input. */
function silentHooks(adapted: Adapted, place: Place): readonly string[] {
  return adapted.hookRecords
    .filter((record) => !readFileSync(record, 'utf8').includes(place.id))
    .map((record) => `hook ${record.slice(record.lastIndexOf('/') + 1, -'.json'.length)} was given no state`)
}

function mountsLeft(place: Place): readonly string[] {
  const namespaces = join(place.folder, 'namespaces') // of our own, unmounted later
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((target) => target.startsWith(place.folder) && !target.startsWith(namespaces))
    .map((target) => `left mounted: ${target.slice(place.folder.length)}`)
}

async function clear(adapted: Adapted, place: Place): Promise<readonly string[]> {
  await adapted.neighbour?.remove()
  return place.remove().map((cgroup) => `left behind: ${cgroup}`)
}
