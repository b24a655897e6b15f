import { lstatSync, mkdirSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { quote, TsruncError } from '../errors'

/** No container can have such a name. native/launcher/planner_wire.h has it too. */
export const SOCKET_NAME = '~planner'

const OTHERS_WRITE = 0o022

const failed = (message: string, cause?: unknown): TsruncError => new TsruncError('PLANNER', message, { cause })

/** The directory of all containers' state, made if it is not there. Errors: PLANNER where others could write to it. */
export function openRoot(root: string): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw failed(`make ${quote(root)}: ${(cause as Error).message}`, cause)
  }
  const { uid, mode } = statSync(root)
  if (uid !== process.geteuid?.() || (mode & OTHERS_WRITE) !== 0) {
    throw failed(`${quote(root)}: operation not permitted: it is not this user's alone to write to`)
  }
}

const MILLISECONDS = 2000

/** Whether somebody takes connections at the socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (found: boolean) => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(MILLISECONDS, () => end(true))
    socket.on('connect', () => end(true))
    socket.on('error', () => end(false))
  })
}

const identityOf = (path: string): string | undefined => {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

/** A socket's place in the file system, which another planner may take over. */
export class Place {
  readonly path: string
  #identity: string | undefined

  /** Errors: PLANNER where a planner answers there already. */
  static async find(root: string): Promise<Place> {
    const path = join(root, SOCKET_NAME)
    if (await answers(path)) throw failed(`a planner serves ${quote(root)} already`)
    return new Place(path)
  }

  /** One that is taken whoever has it: a planner that finds its socket gone ends. */
  static ofOwner(root: string): Place {
    return new Place(join(root, SOCKET_NAME))
  }

  private constructor(path: string) {
    this.path = path
  }

  /** Where to make the socket, before it is moved to its place whole and with its mode. */
  get temporary(): string {
    return `${this.path}.${process.pid}`
  }

  /** Takes the place, from what is dead or another's. */
  take(): void {
    this.#identity = identityOf(this.temporary)
    renameSync(this.temporary, this.path)
    for (const name of readdirSync(join(this.path, '..'))) {
      // Of one that was killed while it began.
      if (/^~planner\.\d+$/.test(name)) unlinkSync(join(this.path, '..', name))
    }
  }

  /** Whether callers still come here. */
  isOwn(): boolean {
    return this.#identity !== undefined && identityOf(this.path) === this.#identity
  }

  leave(): void {
    if (this.isOwn()) unlinkSync(this.path)
  }
}
