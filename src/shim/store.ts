/**
 * What a resident process knows of its containers, on disk: the one after it goes on from there. One file for each container,
 * written whole and moved into its place.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ShimError } from './errors'
import type { Exit } from './monitor'
import type { Options } from './options'

export interface Streams {
  readonly terminal: boolean
  readonly stdin: string
  readonly stdout: string
  readonly stderr: string
}

/** A process: the container's own, or one that was added. */
export interface ProcessRecord {
  readonly streams: Streams
  /** Its directory beneath ROOT/ID/monitor. */
  readonly monitor: string
  /** When the shim was asked for it, RFC 3339. */
  readonly made: string
  pid: number
  started: boolean
  exit: Exit | undefined
  /** Topics that containerd has taken. */
  told: string[]
}

export interface ContainerRecord {
  readonly version: 1
  readonly id: string
  readonly bundle: string
  readonly options: Options
  readonly systemd: boolean
  readonly deleteHook: boolean
  /** Directory of the images that it goes on from at its start; empty: its program begins. */
  readonly checkpoint: string
  /** Whether something is mounted at BUNDLE/rootfs. */
  readonly mounted: boolean
  /** Everything that belongs to it was made. */
  whole: boolean
  paused: boolean
  /** Delete was done; what is left is the answer to one who asks again. */
  deleted: boolean
  readonly init: ProcessRecord
  readonly execs: Record<string, ProcessRecord>
}

/** containerd's identifiers, and a name for a file. */
const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

export function checkIdentifier(what: string, id: string): void {
  if (!IDENTIFIER.test(id)) throw new ShimError('invalidArgument', `${what} ${JSON.stringify(id)} is no identifier`)
}

const ALIVE = '.json'
/** Of a container that is deleted: nothing of it is left but the answer. */
const GONE = '.gone'

const EARLIER = { checkpoint: '', deleteHook: true } as const

export class Store {
  readonly #directory: string

  constructor(place: string) {
    this.#directory = join(place, 'containers')
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
  }

  #path(id: string, end: string): string {
    return join(this.#directory, `${id}${end}`)
  }

  /** `first`: the record is new. One that `delete` has removed stays so. */
  save(record: ContainerRecord, first = false): void {
    const { id, deleted } = record
    const alive = this.#path(id, ALIVE)
    const path = deleted ? this.#path(id, GONE) : alive
    if (!first && !existsSync(path) && !existsSync(alive)) return
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 })
    renameSync(`${path}.new`, path)
    rmSync(deleted ? alive : this.#path(id, GONE), { force: true })
  }

  remove(id: string): void {
    for (const end of [ALIVE, GONE]) rmSync(this.#path(id, end), { force: true })
  }

  #read(path: string): ContainerRecord | undefined {
    try {
      const record = JSON.parse(readFileSync(path, 'utf8')) as ContainerRecord
      // What an earlier build has not noted.
      return record.version === 1 ? { ...EARLIER, ...record } : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      process.stderr.write(`${path} cannot be read: ${(error as Error).message}\n`)
      return undefined
    }
  }

  /** Of a container that is not deleted. Undefined: `delete` of containerd has removed it, or it never was. */
  load(id: string): ContainerRecord | undefined {
    return this.#read(this.#path(id, ALIVE))
  }

  all(): readonly ContainerRecord[] {
    return readdirSync(this.#directory)
      .filter((name) => name.endsWith(ALIVE) || name.endsWith(GONE))
      .flatMap((name) => this.#read(join(this.#directory, name)) ?? [])
  }
}
