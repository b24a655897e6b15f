/** Calls over ttrpc, one after the other: what events and the tests need of a client. */
import { connect, type Socket } from 'node:net'
import { ShimError } from './errors'
import { FRAME, HEADER, Pieces, REMOTE_CLOSED, Request, Response, readFrame, writeFrame } from './ttrpc'
import { decode, encode } from './wire'

interface Waiting {
  readonly resolve: (payload: Uint8Array) => void
  readonly reject: (error: Error) => void
}

/** unix(7) paths, as containerd writes addresses. */
const pathOf = (address: string): string => address.replace(/^unix:\/\//, '')

export class Client {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  readonly #pieces = new Pieces()
  /** Streams of clients are odd. */
  #stream = 1
  #dead: Error | undefined

  constructor(address: string) {
    this.#socket = connect(pathOf(address))
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('error', (error) => this.#end(error))
    this.#socket.on('close', () => this.#end(new Error(`${address}: the connection is closed`)))
  }

  get closed(): boolean {
    return this.#dead !== undefined
  }

  close(): void {
    this.#socket.destroy()
  }

  /** @throws ShimError what the other side answered; Error where there is no answer within `timeout` milliseconds */
  call(
    service: string,
    method: string,
    payload: Uint8Array,
    options: { readonly timeout: number; readonly metadata?: Readonly<Record<string, string>> },
  ): Promise<Uint8Array> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead)
    const stream = this.#stream
    this.#stream += 2
    const metadata = Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value }))
    const request = encode(Request, {
      service,
      method,
      payload,
      metadata,
      timeout_nano: BigInt(options.timeout) * 1_000_000n,
    })
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(stream)?.reject(new Error(`${method}: no answer within ${options.timeout} ms`)),
        options.timeout,
      )
      this.#waiting.set(stream, {
        resolve: (answer) => {
          clearTimeout(timer)
          resolve(answer)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#socket.write(writeFrame({ stream, type: FRAME.request, flags: REMOTE_CLOSED, payload: request }))
    })
  }

  #settle(stream: number): Waiting | undefined {
    const waiting = this.#waiting.get(stream)
    this.#waiting.delete(stream)
    return waiting
  }

  #take(chunk: Buffer): void {
    this.#pieces.add(chunk)
    try {
      for (const { stream, type, payload } of this.#pieces.take((buffer) => {
        const frame = readFrame(buffer, 0)
        return frame === undefined ? undefined : { value: frame, size: HEADER + frame.payload.length }
      })) {
        if (type === FRAME.response) this.#answered(stream, payload)
      }
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
  }

  #answered(stream: number, payload: Uint8Array): void {
    const { status, payload: answer } = decode(Response, payload)
    const waiting = this.#settle(stream)
    if (status === undefined || status.code === 0) waiting?.resolve(answer)
    else waiting?.reject(ShimError.of(status.code, status.message))
  }

  #end(error: Error): void {
    this.#dead ??= error
    for (const stream of [...this.#waiting.keys()]) this.#settle(stream)?.reject(error)
  }
}
