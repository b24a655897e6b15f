/**
 * The client of a monitor, the process that holds one process of a container: its socket takes frames of u8 type, u32
 * little-endian length and payload, and beside it lies the file `exit` once all is over.
 */
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { ShimError } from './errors'
import { Pieces } from './ttrpc'

/** How a process ended. */
export interface Exit {
  /** 128 + N where signal N ended it. */
  readonly status: number
  /** RFC 3339 */
  readonly at: string
  readonly oom: boolean
}

const HEADER = 5
const MOST_PAYLOAD = 64 * 1024
const MILLISECONDS = 10_000
const SIGNALLED = 128

interface Frame {
  readonly type: string
  readonly payload: Buffer
}

function readFrame(buffer: Buffer): { value: Frame; size: number } | undefined {
  if (buffer.length < HEADER) return undefined
  const length = buffer.readUInt32LE(1)
  if (length > MOST_PAYLOAD) throw new Error(`the monitor sends a message of ${length} bytes`)
  if (buffer.length < HEADER + length) return undefined
  const payload = buffer.subarray(HEADER, HEADER + length)
  return { value: { type: String.fromCharCode(buffer.readUInt8(0)), payload }, size: HEADER + length }
}

function frame(type: string, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(HEADER)
  header.write(type, 0, 'latin1')
  header.writeUInt32LE(payload.length, 1)
  return Buffer.concat([header, payload])
}

/** @throws Error where the text is no exit */
export function readExit(text: string): Exit {
  const { code, signal, oom, time } = JSON.parse(text) as Readonly<Record<string, unknown>>
  const status = typeof code === 'number' ? code : typeof signal === 'number' ? SIGNALLED + signal : undefined
  if (status === undefined || typeof time !== 'string') throw new Error(`${text} is no exit`)
  return { status, at: time, oom: oom === true }
}

/** Connects by the directory's descriptor: unix(7) has room for 107 characters only. */
function open(directory: string): Socket {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  const socket = connect(`/proc/self/fd/${fd}/socket`)
  // connect(2) happens within connect().
  closeSync(fd)
  return socket
}

/** What the file says, or undefined where there is none. */
export function savedExit(directory: string): Exit | undefined {
  try {
    return readExit(readFileSync(join(directory, 'exit'), 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Waits for the end of the process that the monitor in `directory` holds. Undefined: the monitor is gone and has left no word.
 */
export function waitForExit(directory: string): Promise<Exit | undefined> {
  return new Promise((resolve) => {
    let socket: Socket
    try {
      socket = open(directory)
    } catch {
      resolve(savedExit(directory))
      return
    }
    const pieces = new Pieces()
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(savedExit(directory)))
    socket.on('data', (chunk: Buffer) => {
      try {
        pieces.add(chunk)
        for (const { type, payload } of pieces.take(readFrame)) {
          if (type === 'X') resolve(readExit(payload.toString('utf8')))
          if (type === 'X' || type === 'F') socket.destroy()
        }
      } catch {
        socket.destroy()
      }
    })
    socket.write(frame('W'))
  })
}

/** One request that is answered by done or by an error. */
function ask(directory: string, what: string, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): ShimError => new ShimError('notFound', `${what}: the process has ended, or its monitor is gone`)
    let socket: Socket
    try {
      socket = open(directory)
    } catch {
      reject(gone())
      return
    }
    const pieces = new Pieces()
    socket.setTimeout(MILLISECONDS, () => {
      reject(new ShimError('deadlineExceeded', `${what}: the monitor has not answered within ${MILLISECONDS} ms`))
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => reject(gone()))
    socket.on('data', (chunk: Buffer) => {
      pieces.add(chunk)
      for (const { type, payload } of pieces.take(readFrame)) {
        if (type === 'K') resolve()
        if (type === 'F') reject(new ShimError('failedPrecondition', `${what}: ${payload.toString('utf8')}`))
        if (type === 'K' || type === 'F') socket.destroy()
      }
    })
    socket.write(request)
  })
}

export function resize(directory: string, rows: number, columns: number): Promise<void> {
  const size = Buffer.alloc(4)
  size.writeUInt16LE(rows, 0)
  size.writeUInt16LE(columns, 2)
  return ask(directory, 'resize the terminal', frame('R', size))
}

/** After all that was written to the fifo before. */
export const closeInput = (directory: string): Promise<void> => ask(directory, 'close the standard input', frame('C'))
