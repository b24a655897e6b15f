/**
 * dist/shim.js: containerd's shim where it needs JavaScript (native/shim/shim.h, docs/SHIM.md).
 *   resident PLACE   serves the tasks of a namespace, at the other end of the keeper's socket pair
 *   … delete         removes a container whose shim does not answer
 *   … -info          what this runtime can do
 */
import { Socket } from 'node:net'
import { EXECUTABLE } from '../native/binding'
import { VERSION } from '../version'
import { Link } from './link'
import { plansOf } from './plans'
import { Orphans } from './process'
import { Publisher } from './publisher'
import { Runtime } from './runtime'
import { Server } from './server'
import { Store } from './store'
import { Tasks } from './tasks'

/** native/shim/resident.cc has it too. */
const LINK = 3

function serve(place: string): void {
  const namespace = process.env['NAMESPACE'] ?? ''
  const socket = new Socket({ fd: LINK, readable: true, writable: true })
  // The keeper is gone: containerd cleans up, and nobody asks any more.
  socket.on('close', () => process.exit(0))
  socket.on('error', (error) => {
    process.stderr.write(`the keeper: ${error.message}\n`)
    process.exit(1)
  })
  const link = new Link(socket)
  const orphans = new Orphans()
  const tasks = new Tasks({
    runtime: new Runtime(EXECUTABLE, namespace, plansOf(process.env)),
    store: new Store(place),
    publisher: new Publisher(process.env['TTRPC_ADDRESS'] ?? '', namespace),
    place,
    orphans,
    version: VERSION,
    counted: (containers) => link.tellContainers(containers),
  })
  const { service } = tasks
  new Server(link, { 'containerd.task.v2.Task': service, 'containerd.task.v3.Task': service }).serve((pid, exit) => {
    orphans.ended(pid, exit)
  })
}

async function main(argv: readonly string[]): Promise<void> {
  const [first = '', place = ''] = argv
  if (first === 'resident') return serve(place)
  if (argv.includes('-info') || argv.includes('--info')) return (await import('./info')).printInfo()
  return (await import('./cleanup')).cleanUp(argv)
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`containerd-shim-tsrunc-v2: ${error.message}\n`)
  process.exitCode = 1
})
