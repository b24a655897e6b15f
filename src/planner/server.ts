import { binding, EXECUTABLE } from '../native/binding'
import type { Repeatable } from './free-words'
import { installation, isSame } from './installation'
import { PlannerMemory } from './memory'
import type { Place } from './place'
import { type CompilerOf, type Kept, planRequest } from './plan-request'
import {
  ANSWERS_HEADER,
  encodeReply,
  REQUEST_HEADER,
  type Reply,
  type Request,
  type RequestHeader,
  readAnswers,
  readRequest,
  readRequestHeader,
} from './protocol'
import { Rehearsal, rehearsedMessages } from './rehearsal'
import { Repeats } from './repeats'
import { SeccompMemory } from './seccomp-memory'

/** Connections at a time; a caller that finds no room goes on without a planner. */
const MOST_CONNECTIONS = 64
/** How often a planner looks whether it is still wanted. */
const WATCH_MILLISECONDS = 5000

/** The number of no connection. */
const REHEARSED = -1

/** libseccomp's part is no JavaScript, and what it makes is kept on disk. */
const NOT_COMPILED: CompilerOf = () => () => new Uint8Array()

export interface ServerOptions {
  /** Where it listens; undefined: at descriptor `fd`, which systemd gave it. */
  readonly place: Place | undefined
  readonly fd: number
  /** Once it takes connections. */
  readonly onListening: () => void
  /** config.json of a container that is planned for nobody, while there is nothing else to do. */
  readonly rehearsed?: Uint8Array
  readonly mostConnections?: number
}

export class PlannerServer {
  readonly #options: ServerOptions
  readonly #installation = installation()
  readonly #memory = new PlannerMemory()
  readonly #seccomp = new SeccompMemory()
  readonly #kept: Kept = { memory: this.#memory, compilerOf: this.#seccomp.compilerOf }
  #rehearsal: Rehearsal | undefined
  /** Requests whose callers are asked, by connection. */
  readonly #asked = new Map<number, Request>()
  #server: number | undefined
  /** Number of the facts with which the last request was planned. */
  #facts = 0
  readonly #repeats = new Repeats()
  #last = performance.now()
  /** Answered without this object (native/addon/repeated_plans.h), when it was looked last. */
  #repeated = 0
  #closed = false
  #end: () => void

  constructor(options: ServerOptions) {
    this.#options = options
    this.#end = () => this.close()
  }

  /** Until a signal, idleness or a newer installation ends it. `idle`: milliseconds without a request; 0: for ever. */
  async serve(idle: number): Promise<void> {
    this.listen()
    this.#rehearse()
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

  #rehearse(): void {
    const { rehearsed } = this.#options
    if (rehearsed === undefined) return
    // What it makes of this configuration need not be remembered; facts of the host are everybody's.
    const kept: Kept = {
      memory: { fact: (key, probe) => this.#memory.fact(key, probe), content: (_kind, _bytes, make) => make() },
      compilerOf: NOT_COMPILED,
    }
    this.#rehearsal = new Rehearsal(
      rehearsedMessages(rehearsed, this.#installation),
      async (message) => encodeReply(await this.#reply(REHEARSED, process.pid, message, kept)),
      () => performance.now() - this.#lastHeard(),
    )
    this.#rehearsal.begin()
  }

  #isIdle(idle: number): boolean {
    const isBusy = this.#server !== undefined && binding().planCallers(this.#server) > 0
    return idle > 0 && !isBusy && performance.now() - this.#lastHeard() >= idle
  }

  /** When a request came; of those that are answered without this object it is known only that there were some. */
  #lastHeard(): number {
    const { repeated } = this
    if (repeated !== this.#repeated) this.#last = performance.now()
    this.#repeated = repeated
    return this.#last
  }

  /** No other one has its place, and its files are those that it was started from. */
  get isWanted(): boolean {
    const { place } = this.#options
    return !this.#closed && (place === undefined || place.isOwn()) && this.isCurrent
  }

  /** Its number in the addon, once it listens. */
  get number(): number | undefined {
    return this.#server
  }

  get facts(): number {
    return this.#facts
  }

  /** Callers that were answered without planning. */
  get repeated(): number {
    return this.#server === undefined ? 0 : binding().repeatedPlans(this.#server)
  }

  get isCurrent(): boolean {
    return isSame(installation(), this.#installation)
  }

  /** Calls that are being planned may go on without a plan. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#rehearsal?.end()
    this.#options.place?.leave()
    if (this.#server !== undefined) binding().stopPlans(this.#server)
  }

  /** Errors: NativeError. */
  listen(): void {
    const { place, fd, mostConnections, onListening } = this.#options
    this.#server = binding().servePlans({
      path: place?.temporary,
      fd,
      executable: EXECUTABLE,
      most: mostConnections ?? MOST_CONNECTIONS,
      hear: (connection, pid, message, facts) => this.#hear(connection, pid, message, facts),
      forget: (connection) => this.#asked.delete(connection),
      look: () => this.#look(),
    })
    place?.take()
    onListening()
  }

  #look(): boolean {
    const isSame = this.#memory.look()
    if (!isSame) this.#repeats.forget()
    return isSame
  }

  /** Whatever happens here ends this connection and no other. */
  #hear(connection: number, pid: number, message: Buffer, facts: number): void {
    this.#last = performance.now()
    this.#facts = facts
    const server = this.#server ?? 0
    const isFirst = !this.#asked.has(connection)
    this.#reply(connection, pid, message, this.#kept)
      .then((reply) => {
        const bytes = encodeReply(reply)
        binding().answerPlan(server, connection, bytes, reply.kind === 'ask')
        if (isFirst && reply.kind === 'plan' && reply.repeats !== undefined) {
          setImmediate(() => this.#repeat(pid, message, reply.repeats, bytes, facts))
        }
      })
      .catch(() => binding().dropPlan(server, connection))
  }

  /** Behind a reply: what comes again need not be planned again. */
  #repeat(pid: number, message: Buffer, repeats: Repeatable | undefined, reply: Buffer, facts: number): void {
    if (this.#closed || this.#server === undefined || repeats === undefined) return
    const server = this.#server
    const plan = (request: Request) => planRequest(request, pid, request.answers, this.#kept)
    this.#repeats
      .consider(message, repeats, reply, plan)
      .then((plan) => {
        if (plan !== undefined && !this.#closed) binding().keepPlan(server, plan, facts)
      })
      // It is planned for each time.
      .catch(() => undefined)
  }

  async #reply(connection: number, pid: number, message: Buffer, kept: Kept): Promise<Reply> {
    const asked = this.#asked.get(connection)
    if (asked !== undefined) {
      this.#asked.delete(connection)
      const answers = new Map([...asked.answers, ...readAnswers(message.subarray(ANSWERS_HEADER))])
      const reply = await planRequest(asked, pid, answers, kept)
      return reply.kind === 'ask' ? { kind: 'cold' } : reply
    }
    const header = readRequestHeader(message)
    const refusal = this.#refuse(header, pid)
    if (refusal !== undefined) return refusal
    const request = readRequest(header, message.subarray(REQUEST_HEADER))
    const reply = await planRequest(request, pid, request.answers, kept)
    if (reply.kind === 'ask') this.#asked.set(connection, request)
    return reply
  }

  /** Who is not planned for. `pid`: of the caller; 0: one that is a stranger. */
  #refuse(header: RequestHeader, pid: number): Reply | undefined {
    if (pid !== 0 && isSame(header, this.#installation)) return undefined
    if (this.isCurrent) return { kind: 'cold' }
    setImmediate(() => this.#end())
    return { kind: 'stale' }
  }
}
