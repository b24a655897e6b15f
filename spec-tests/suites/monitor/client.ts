// A client of a monitor's socket, as an engine writes one, and where to find the socket.
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Bundle, eventually, isAlive, ok, sandbox } from '../../lib'

export interface ExitRecord {
  readonly version: number
  readonly pid: number
  readonly code: number | null
  readonly signal: number | null
  readonly oom: boolean
  readonly time: string
  readonly lost: number
  readonly checksum: string
}

const monitorDirectory = (b: Bundle, name = 'init'): string => join(sandbox().marks.root, b.id, 'monitor', name)

export const readExit = (b: Bundle, name?: string): ExitRecord =>
  JSON.parse(readFileSync(join(monitorDirectory(b, name), 'exit'), 'utf8')) as ExitRecord

export const exitOf = (b: Bundle, name?: string): Promise<ExitRecord> =>
  eventually(
    `the exit record of ${b.id}`,
    () => {
      try {
        return readExit(b, name)
      } catch {
        return undefined
      }
    },
    30_000,
  )

export const monitorPid = (b: Bundle, name?: string): number =>
  Number(/^monitor (\d+) /m.exec(readFileSync(join(monitorDirectory(b, name), 'pid'), 'utf8'))?.[1])

export const monitorEnds = (pid: number): Promise<true> =>
  eventually(`the end of monitor ${pid}`, () => !isAlive(pid), 30_000) as Promise<true>

/** Frames: u8 type, u32 length, payload. */
export class MonitorClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #closed = false

  constructor(b: Bundle, name?: string) {
    const directory = openSync(monitorDirectory(b, name), constants.O_RDONLY | constants.O_DIRECTORY)
    this.#socket = createConnection(`/proc/self/fd/${directory}/socket`)
    this.#socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
    this.#socket.on('connect', () => closeSync(directory))
    this.#socket.on('close', () => {
      this.#closed = true
    })
    this.#socket.on('error', () => {
      this.#closed = true
    })
  }

  send(type: string, payload: Uint8Array | string = ''): this {
    const bytes = Buffer.from(payload)
    const head = Buffer.alloc(5)
    head.write(type)
    head.writeUInt32LE(bytes.length, 1)
    this.#socket.write(Buffer.concat([head, bytes]))
    return this
  }

  raw(bytes: Uint8Array): this {
    this.#socket.write(bytes)
    return this
  }

  pause(): this {
    this.#socket.pause()
    return this
  }

  resume(): this {
    this.#socket.resume()
    return this
  }

  close(): void {
    this.#socket.destroy()
  }

  /** All whole frames so far. */
  frames(): [string, Buffer][] {
    const frames: [string, Buffer][] = []
    for (let at = 0; at + 5 <= this.#received.length; ) {
      const length = this.#received.readUInt32LE(at + 1)
      if (at + 5 + length > this.#received.length) break
      frames.push([String.fromCharCode(this.#received[at] ?? 0), this.#received.subarray(at + 5, at + 5 + length)])
      at += 5 + length
    }
    return frames
  }

  of(type: string): Buffer {
    return Buffer.concat(this.frames().flatMap(([of, bytes]) => (of === type ? [bytes] : [])))
  }

  count(type: string): number {
    return this.frames().filter(([of]) => of === type).length
  }

  /** The first frame of this type. */
  frame(type: string): Promise<Buffer> {
    return eventually(`a frame ${type}`, () => this.frames().find(([of]) => of === type)?.[1], 30_000)
  }

  /** Attached: what comes from now on is seen. */
  async attach(mask = 7): Promise<this> {
    this.send('A', Uint8Array.of(mask))
    await this.frame('K')
    return this
  }

  async exit(): Promise<ExitRecord> {
    return JSON.parse((await this.frame('X')).toString()) as ExitRecord
  }

  closed(): Promise<true> {
    return eventually('the end of the connection', () => this.#closed, 30_000) as Promise<true>
  }

  seen(text: string, type = 'O'): Promise<true> {
    const sees = () => this.of(type).toString().includes(text)
    return eventually(`${JSON.stringify(text)} from the monitor`, sees, 30_000) as Promise<true>
  }
}

/** The bytes of private memory of a process. */
export const privateKilobytes = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const found = [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)]
  ok(found.length > 0, text)
  return found.reduce((sum, [, number]) => sum + Number(number), 0)
}
