/** The way to containerd: frames over the socket pair of the keeper (native/shim/resident.h), with a connection's number in front. */
import type { Socket } from 'node:net'
import type { Exit } from './monitor'
import { FRAME, type Frame, HEADER, Pieces, readFrame, writeFrame } from './ttrpc'

/** Where a frame belongs to: the answer to a request has the same one. */
export interface Origin {
  readonly connection: number
  readonly stream: number
}

export interface Arrival extends Origin {
  readonly frame: Frame
  /** A process that has died may have begun to work on it. */
  readonly again: boolean
}

export interface Listener {
  readonly arrived: (arrival: Arrival) => void
  readonly closed: (connection: number) => void
  /** A process has ended whose parent the keeper was: its monitor was killed. */
  readonly ended: (pid: number, exit: Exit) => void
}

const MESSAGE_HEADER = 5
const KIND = { fresh: 0x46, again: 0x52, closed: 0x43, containers: 0x42, ended: 0x45 } as const
/** u32 status, seconds and nanoseconds since the epoch. */
const END_SIZE = 12
const SECOND = 1000
const NANOSECONDS_OF_MILLISECOND = 1_000_000

type Message =
  | { readonly kind: 'arrived'; readonly arrival: Arrival }
  | { readonly kind: 'closed'; readonly connection: number }
  | { readonly kind: 'ended'; readonly pid: number; readonly exit: Exit }

function readEnd(buffer: Buffer, pid: number): { value: Message; size: number } | undefined {
  if (buffer.length < MESSAGE_HEADER + END_SIZE) return undefined
  const [status, seconds, nanoseconds] = [0, 4, 8].map((at) => buffer.readUInt32BE(MESSAGE_HEADER + at)) as [
    number,
    number,
    number,
  ]
  const at = new Date(seconds * SECOND + nanoseconds / NANOSECONDS_OF_MILLISECOND).toISOString()
  return { value: { kind: 'ended', pid, exit: { status, at, oom: false } }, size: MESSAGE_HEADER + END_SIZE }
}

function readMessage(buffer: Buffer): { value: Message; size: number } | undefined {
  if (buffer.length < MESSAGE_HEADER) return undefined
  const connection = buffer.readUInt32BE(0)
  const kind = buffer.readUInt8(4)
  if (kind === KIND.closed) return { value: { kind: 'closed', connection }, size: MESSAGE_HEADER }
  if (kind === KIND.ended) return readEnd(buffer, connection)
  if (kind !== KIND.fresh && kind !== KIND.again) throw new Error(`the keeper sent a message of kind ${kind}`)
  const frame = readFrame(buffer, MESSAGE_HEADER)
  if (frame === undefined) return undefined
  const arrival = { connection, stream: frame.stream, frame, again: kind === KIND.again }
  return { value: { kind: 'arrived', arrival }, size: MESSAGE_HEADER + HEADER + frame.payload.length }
}

export class Link {
  readonly #socket: Socket
  readonly #pieces = new Pieces()

  constructor(socket: Socket) {
    this.#socket = socket
  }

  listen({ arrived, closed, ended }: Listener): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#pieces.add(chunk)
      for (const message of this.#pieces.take(readMessage)) {
        if (message.kind === 'closed') closed(message.connection)
        else if (message.kind === 'ended') ended(message.pid, message.exit)
        else arrived(message.arrival)
      }
    })
  }

  answer({ connection, stream }: Origin, payload: Uint8Array): void {
    const header = Buffer.alloc(MESSAGE_HEADER)
    header.writeUInt32BE(connection, 0)
    header.writeUInt8(KIND.fresh, 4)
    this.#socket.write(Buffer.concat([header, writeFrame({ stream, type: FRAME.response, flags: 0, payload })]))
  }

  /** The keeper goes on as long as there are containers. */
  tellContainers(count: number): void {
    const bytes = Buffer.alloc(MESSAGE_HEADER + 4)
    bytes.writeUInt8(KIND.containers, 4)
    bytes.writeUInt32BE(count, MESSAGE_HEADER)
    this.#socket.write(bytes)
  }
}
