/** Answers requests: finds the method, reads the message, turns what is thrown into a status. */
import { CODE, ShimError } from './errors'
import type { Arrival, Link, Listener } from './link'
import { FRAME, failure, MOST_PAYLOAD, type Request, readRequest, success } from './ttrpc'
import { decode, encode, type Message, type Table } from './wire'

export interface Context {
  /** The request may have been worked on before, by a process that has died. */
  readonly again: boolean
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** One method: its messages' tables and what it does. */
export interface Method {
  readonly call: (payload: Uint8Array, context: Context) => Promise<Uint8Array>
}

export const method = <Q extends Table, A extends Table>(
  request: Q,
  answer: A,
  run: (request: Message<Q>, context: Context) => Promise<Partial<Message<A>>>,
): Method => ({
  call: async (payload, context) => encode(answer, await run(readMessage(request, payload), context)),
})

function readMessage<T extends Table>(table: T, payload: Uint8Array): Message<T> {
  try {
    return decode(table, payload)
  } catch (error) {
    throw new ShimError('invalidArgument', `the request cannot be read: ${(error as Error).message}`)
  }
}

export type Service = Readonly<Record<string, Method>>

const NANOSECONDS = 1_000_000n
const MOST_TIMEOUT = 2 ** 31 - 1

/** setTimeout's number for ttrpc's; 0 for none. */
const timeoutOf = ({ timeout_nano }: Request): number =>
  Math.min(Number(timeout_nano > 0n ? timeout_nano / NANOSECONDS + 1n : 0n), MOST_TIMEOUT)

function errorAnswer(error: unknown): Uint8Array {
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof ShimError) return failure(error.code, text)
  process.stderr.write(`${error instanceof Error ? (error.stack ?? text) : text}\n`)
  return failure(CODE.unknown, text)
}

export class Server {
  readonly #link: Link
  readonly #services: Readonly<Record<string, Service>>
  /** What is being worked on, by connection. */
  readonly #open = new Map<number, Set<AbortController>>()

  constructor(link: Link, services: Readonly<Record<string, Service>>) {
    this.#link = link
    this.#services = services
  }

  /** @param ended see Listener */
  serve(ended: Listener['ended']): void {
    this.#link.listen({
      ended,
      arrived: (arrival) => {
        if (arrival.frame.type !== FRAME.request) return
        this.#answer(arrival).catch((error: Error) => process.stderr.write(`${error.stack}\n`))
      },
      closed: (connection) => {
        for (const controller of this.#open.get(connection) ?? []) controller.abort()
        this.#open.delete(connection)
      },
    })
  }

  #find({ service, method }: Request): Method {
    const found = Object.hasOwn(this.#services, service) ? this.#services[service] : undefined
    const call = found !== undefined && Object.hasOwn(found, method) ? found[method] : undefined
    if (call === undefined) throw new ShimError('unimplemented', `/${service}/${method}: this shim does not have it`)
    return call
  }

  /** The answer, or that it took longer than the caller waits. */
  async #run(arrival: Arrival, controller: AbortController): Promise<Uint8Array> {
    const request = readRequest(arrival.frame.payload)
    const limit = timeoutOf(request)
    const { signal } = controller
    const work = this.#find(request).call(request.payload, { again: arrival.again, signal })
    if (limit === 0) return await work
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        controller.abort()
        reject(new ShimError('deadlineExceeded', `${request.method} took longer than the ${limit} ms of its caller`))
      }, limit)
    })
    try {
      return await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
      work.catch(() => undefined)
    }
  }

  async #answer(arrival: Arrival): Promise<void> {
    const controller = new AbortController()
    const open = this.#open.get(arrival.connection) ?? new Set()
    this.#open.set(arrival.connection, open.add(controller))
    const answer = await this.#run(arrival, controller).then(success, errorAnswer)
    open.delete(controller)
    const whole = answer.length <= MOST_PAYLOAD ? answer : failure(CODE.resourceExhausted, 'the answer is too long')
    this.#link.answer(arrival, whole)
  }
}
