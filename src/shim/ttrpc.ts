/**
 * ttrpc, containerd's small remote procedure calls: a frame is a header (u32 length of the payload, u32 stream, u8 type, u8
 * flags; big-endian) and a message. Of its kinds of calls only those with one message each way, which is all that tasks and
 * events have.
 */
import { bool, bytes, decode, encode, int32, int64, type Message, message, messages, string } from './wire'

export const HEADER = 10
/** ttrpc's own bound. */
export const MOST_PAYLOAD = 4 * 1024 * 1024

export const FRAME = { request: 1, response: 2, data: 3 } as const
/** Nothing more comes from the caller on this stream. */
export const REMOTE_CLOSED = 1

export interface Frame {
  readonly stream: number
  readonly type: number
  readonly flags: number
  readonly payload: Uint8Array
}

const KeyValue = { key: string(1), value: string(2) }
const Status = { code: int32(1), message: string(2) }

export const Request = {
  service: string(1),
  method: string(2),
  payload: bytes(3),
  timeout_nano: int64(4),
  metadata: messages(5, KeyValue),
}
export type Request = Message<typeof Request>

export const Response = { status: message(1, Status), payload: bytes(2), unused: bool(15) }

/** The frame at the beginning of `buffer` at `from`, or undefined where it is not whole. @throws Error it is too long */
export function readFrame(buffer: Buffer, from: number): Frame | undefined {
  if (buffer.length < from + HEADER) return undefined
  const length = buffer.readUInt32BE(from)
  if (length > MOST_PAYLOAD) throw new Error(`a message of ${length} bytes, ${MOST_PAYLOAD} are allowed`)
  if (buffer.length < from + HEADER + length) return undefined
  return {
    stream: buffer.readUInt32BE(from + 4),
    type: buffer.readUInt8(from + 8),
    flags: buffer.readUInt8(from + 9),
    payload: buffer.subarray(from + HEADER, from + HEADER + length),
  }
}

export function writeFrame({ stream, type, flags, payload }: Frame): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER + payload.length)
  buffer.writeUInt32BE(payload.length, 0)
  buffer.writeUInt32BE(stream, 4)
  buffer.writeUInt8(type, 8)
  buffer.writeUInt8(flags, 9)
  buffer.set(payload, HEADER)
  return buffer
}

/** Bytes that come in pieces, until what is in front of them is whole. */
export class Pieces {
  #buffer: Buffer = Buffer.alloc(0)

  add(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
  }

  /** `read` gives a value and how many bytes it took, or undefined where it wants more. */
  *take<T>(read: (buffer: Buffer) => { readonly value: T; readonly size: number } | undefined): Generator<T> {
    for (let next = read(this.#buffer); next !== undefined; next = read(this.#buffer)) {
      this.#buffer = this.#buffer.subarray(next.size)
      yield next.value
    }
  }
}

export const success = (payload: Uint8Array): Uint8Array => encode(Response, { payload })
export const failure = (code: number, text: string): Uint8Array => encode(Response, { status: { code, message: text } })

export const readRequest = (payload: Uint8Array): Request => decode(Request, payload)
