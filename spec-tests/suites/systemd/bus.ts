import { connect, createServer, type Socket } from 'node:net'
import { runtimeEnvironment, sandbox, scratch } from '../../lib'

const BUS = '/run/dbus/system_bus_socket'

/** The calls of systemd's and of the bus's that a runtime makes, and the signal that ends a job. */
const WORDS =
  /Hello|AddMatch|StartTransientUnit|SetUnitProperties|StopUnit|ResetFailedUnit|JobRemoved|ActiveState|Documentation/

let buses = 0

/** What a proxy does with what it has just heard: hand it on, keep it for itself, or end the connection. */
export type Decide = (word: string, from: 'runtime' | 'bus') => 'pass' | 'hold' | 'lose'

/**
 * A bus between the runtime and the host's: the environment for the runtime. What the bus says is told with the call that the
 * runtime made last, or as JobRemoved. `alter`: what the runtime says instead.
 */
export const proxiedBus = (
  decide: Decide,
  alter: (data: Buffer) => Buffer = (data) => data,
): Record<string, string> => {
  buses += 1
  const path = scratch(`bus-${buses}`)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const bus = connect(BUS)
    const end = (): void => {
      client.destroy()
      bus.destroy()
    }
    let last = ''
    const hand = (data: Buffer, to: Socket, from: 'runtime' | 'bus'): void => {
      const [word = ''] = WORDS.exec(data.toString('latin1')) ?? []
      if (from === 'runtime') last = word
      const decision = decide(from === 'bus' && word !== 'JobRemoved' ? last : word, from)
      if (decision === 'lose') end()
      else if (decision === 'pass' && to.writable) to.write(data)
    }
    for (const socket of [client, bus]) {
      sockets.add(socket)
      socket.on('close', end).on('error', end)
    }
    client.on('data', (data) => hand(alter(data), bus, 'runtime'))
    bus.on('data', (data) => hand(data, client, 'bus'))
  }).listen(path)
  sandbox().undo.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { ...runtimeEnvironment(), DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}` }
}
