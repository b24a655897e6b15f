import { createServer, type Server, type Socket } from 'node:net'
import { binding } from '../native/binding'
import { Connection, type Service } from './connection'
import { installation, isSame } from './installation'
import { PlannerMemory } from './memory'
import type { Place } from './place'
import { planRequest } from './plan-request'
import { SeccompMemory } from './seccomp-memory'

/** Connections at a time; a caller that finds no room goes on without a planner. */
const MOST_CONNECTIONS = 64
/** Bytes of all requests that are being read. */
const MOST_BYTES = 64 << 20
/** How often a planner looks whether it is still wanted. */
const WATCH_MILLISECONDS = 5000

export interface ServerOptions {
  /** Where it listens; undefined: at descriptor `fd`, which systemd gave it. */
  readonly place: Place | undefined
  readonly fd: number
  /** Once it takes connections. */
  readonly onListening: () => void
  readonly mostConnections?: number
}

/** The number of a connection's descriptor; node has no public name for it. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null }
  return handle?.fd ?? -1
}

export class PlannerServer {
  readonly #options: ServerOptions
  readonly #server: Server = createServer((socket) => this.#connected(socket))
  readonly #installation = installation()
  readonly #memory = new PlannerMemory()
  readonly #seccomp = new SeccompMemory()
  #held = 0
  #connections = 0
  #last = performance.now()
  #closed = false
  #end: () => void

  constructor(options: ServerOptions) {
    this.#options = options
    this.#server.maxConnections = options.mostConnections ?? MOST_CONNECTIONS
    this.#end = () => this.close()
  }

  /** Until a signal, idleness or a newer installation ends it. `idle`: milliseconds without a request; 0: for ever. */
  async serve(idle: number): Promise<void> {
    await this.listen()
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve
    })
    // It ends where nobody would miss it.
    const watch = setInterval(
      () => {
        if (!this.isWanted || this.#isIdle(idle)) this.#end()
      },
      Math.min(WATCH_MILLISECONDS, idle || WATCH_MILLISECONDS),
    )
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
    const stop = () => this.#end()
    for (const signal of signals) process.on(signal, stop)
    await ended
    clearInterval(watch)
    for (const signal of signals) process.off(signal, stop)
    this.close()
  }

  #isIdle(idle: number): boolean {
    return idle > 0 && this.#connections === 0 && performance.now() - this.#last >= idle
  }

  /** No other one has its place, and its files are those that it was started from. */
  get isWanted(): boolean {
    const { place } = this.#options
    return !this.#closed && (place === undefined || place.isOwn()) && this.isCurrent
  }

  get isCurrent(): boolean {
    return isSame(installation(), this.#installation)
  }

  /** Calls that are being planned may go on without a plan. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.place?.leave()
    this.#server.close()
    this.#memory.close()
  }

  listen(): Promise<void> {
    const { place, fd } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      // unix(7): the mode of a socket is what the mask leaves of it.
      const mask = process.umask(0o177)
      this.#server.listen(place === undefined ? { fd } : { path: place.temporary }, () => {
        place?.take()
        this.#options.onListening()
        resolve()
      })
      process.umask(mask)
    })
  }

  #connected(socket: Socket): void {
    this.#connections++
    this.#last = performance.now()
    socket.on('close', () => {
      this.#connections--
    })
    new Connection(socket, this.#serviceFor(binding().fellow(descriptorOf(socket))))
  }

  /** `pid`: of the caller; 0: one that is not planned for. */
  #serviceFor(pid: number): Service {
    return {
      refuse: (header) => {
        if (pid !== 0 && isSame(header, this.#installation)) return undefined
        if (this.isCurrent) return { kind: 'cold' }
        setImmediate(() => this.#end())
        return { kind: 'stale' }
      },
      plan: (request, answers) =>
        planRequest(request, pid, answers, { memory: this.#memory, compilerOf: this.#seccomp.compilerOf }),
      hold: (bytes) => {
        if (this.#held + bytes > MOST_BYTES) return false
        this.#held += bytes
        return true
      },
      release: (bytes) => {
        this.#held -= bytes
      },
    }
  }
}
