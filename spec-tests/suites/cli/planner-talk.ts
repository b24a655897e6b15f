// What tests of a planner, and of what stands in its place, say and hear.
import { mkdirSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { addBusybox, type Bundle, bundle, sandbox } from '../../lib'

export const ONLY = { only: ['tsrunc'] } as const

export const mode = (planner: string) => ({ global: ['--planner', planner] })
export const socketPath = (): string => join(sandbox().marks.root, '~planner')

export const trueBundle = (): Promise<Bundle> =>
  bundle((c, b) => {
    addBusybox(b.rootfs)
    c.process.args = ['/bin/true']
  })

/** For as many containers as want it: each has the cgroup of its ID. */
export const sleepingBundle = (): Promise<Bundle> =>
  bundle((c, b) => {
    addBusybox(b.rootfs)
    c.process.args = ['/bin/sleep', '1000']
    // Beneath the root of all, by the ID.
    Reflect.deleteProperty(c.linux, 'cgroupsPath')
  })

/** Somebody in the planner's place. */
export const impostor = async (talk: (socket: Socket) => void): Promise<Server> => {
  mkdirSync(sandbox().marks.root, { recursive: true, mode: 0o700 })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  })
  sandbox().undo.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(socketPath(), resolve))
  return server
}

export const GREETING = Buffer.from('tsrunc-planner4\0')

export const reply = (kind: number, sizes: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(40)
  bytes.write('tsrunc-planner4')
  bytes.writeUInt32LE(kind, 16)
  for (const [i, size] of sizes.entries()) bytes.writeUInt32LE(size, 20 + 4 * i)
  return bytes
}

/** Says something after it has greeted, as a planner does. */
export const greets = (socket: Socket, ...words: readonly Buffer[]): boolean =>
  socket.write(Buffer.concat([GREETING, ...words]))
