import type { Socket } from 'node:net'
import {
  ANSWERS_HEADER,
  type Answers,
  encodeReply,
  REQUEST_HEADER,
  type Reply,
  type Request,
  type RequestHeader,
  readAnswers,
  readAnswersHeader,
  readRequest,
  readRequestHeader,
} from './protocol'

/** What requests are answered with. */
export interface Service {
  /** Who is not planned for. The whole request was read: a reply to one that still writes would be lost. */
  readonly refuse: (header: RequestHeader) => Reply | undefined
  readonly plan: (request: Request, answers: Answers) => Promise<Reply>
  /** Bytes of all connections together that may be held. False: too many. */
  readonly hold: (bytes: number) => boolean
  readonly release: (bytes: number) => void
}

/** A request is in memory already when its caller connects; one that takes longer to come is none. */
const MILLISECONDS = 5000

/** One request, its questions and its reply. Whatever happens here ends this connection and no other. */
export class Connection {
  readonly #socket: Socket
  readonly #service: Service
  #chunks: Buffer[] = []
  #size = 0
  #header: RequestHeader | undefined
  #request: Request | undefined
  #asked = false
  /** No more is read: a reply is being made, or was. */
  #busy = false

  constructor(socket: Socket, service: Service) {
    this.#socket = socket
    this.#service = service
    const deadline = setTimeout(() => socket.destroy(), MILLISECONDS)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(deadline)
      service.release(this.#size)
      this.#size = 0
      this.#chunks = []
    })
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk).catch(() => socket.destroy())
    })
  }

  async #take(chunk: Buffer): Promise<void> {
    // A caller that speaks before it is asked is none of ours.
    if (this.#busy || !this.#service.hold(chunk.length)) {
      this.#socket.destroy()
      return
    }
    this.#chunks.push(chunk)
    this.#size += chunk.length
    const reply = this.#asked ? await this.#answered() : await this.#requested()
    if (reply !== undefined) this.#reply(reply)
  }

  /** `length` bytes behind `from`, once they are all there. Errors: more came than belongs to it. */
  #whole(from: number, length: number): Buffer | undefined {
    if (this.#size < from + length) return undefined
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
    if (all === undefined) return undefined
    this.#chunks = [all]
    return all.subarray(from, from + length)
  }

  async #requested(): Promise<Reply | undefined> {
    if (this.#header === undefined) {
      const bytes = this.#whole(0, REQUEST_HEADER)
      if (bytes === undefined) return undefined
      this.#header = readRequestHeader(bytes)
    }
    const bytes = this.#whole(REQUEST_HEADER, this.#header.length)
    if (bytes === undefined) return undefined
    this.#busy = true
    const refusal = this.#service.refuse(this.#header)
    if (refusal !== undefined) return refusal
    this.#request = readRequest(this.#header, bytes)
    return await this.#service.plan(this.#request, this.#request.answers)
  }

  async #answered(): Promise<Reply | undefined> {
    const header = this.#whole(0, ANSWERS_HEADER)
    const bytes = header === undefined ? undefined : this.#whole(ANSWERS_HEADER, readAnswersHeader(header).length)
    if (bytes === undefined || this.#request === undefined) return undefined
    this.#busy = true
    const answers = new Map([...this.#request.answers, ...readAnswers(bytes)])
    const reply = await this.#service.plan(this.#request, answers)
    return reply.kind === 'ask' ? { kind: 'cold' } : reply
  }

  #reply(reply: Reply): void {
    const asks = reply.kind === 'ask'
    this.#busy = !asks
    if (asks) {
      this.#asked = true
      this.#service.release(this.#size)
      this.#chunks = []
      this.#size = 0
    }
    const bytes = encodeReply(reply)
    if (asks) this.#socket.write(bytes)
    else this.#socket.end(bytes)
  }
}
