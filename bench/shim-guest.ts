/**
 * In the sandbox of the engine tests: containerd with its own shim for runc, crun and tsrunc, and with tsrunc's shim. Prints one line
 * of JSON (bench/shim.ts).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ARCHIVE, IMAGE, makeImages } from '../spec-tests/engines/image'
import { attempt, eventually, run, startDaemon } from '../spec-tests/engines/row'
import type { Memory, ShimFindings } from './shim'
import { type Configuration, configurationOf, type Shim, Task } from './shim-task'
import { shuffled } from './stats'

interface Way {
  readonly name: string
  readonly flags: readonly string[]
  readonly shim: Shim
}

const RUNC_SHIM = '/usr/bin/containerd-shim-runc-v2'
const TSRUNC = '/usr/local/sbin/tsrunc'
/** Where the shim for runc keeps ctr's containers, and those of shim-task.ts. */
const RUNC_ROOTS: readonly string[] = ['/run/containerd/runc/default', '/run/containerd/runc/bench']

const ofRunc = (name: string, runtime: string): Way => ({
  name: `shim-runc, ${name}`,
  flags: ['--runtime', 'io.containerd.runc.v2', '--runc-binary', runtime],
  shim: { program: RUNC_SHIM, runtime },
})
const WAYS: readonly Way[] = [
  ofRunc('runc', '/usr/sbin/runc'),
  ofRunc('crun', '/usr/bin/crun'),
  ofRunc('tsrunc', TSRUNC),
  {
    name: 'shim-tsrunc',
    flags: ['--runtime', 'io.containerd.tsrunc.v2'],
    shim: { program: '/usr/local/sbin/containerd-shim-tsrunc-v2', runtime: undefined },
  },
]

const ctr = (...words: readonly string[]): Promise<string> => run(['ctr', ...words])
/** Programs of the containers, of the client and of this measurement: not the runtime's. */
const OTHERS: readonly string[] = ['sleep', 'busybox', 'ctr', 'containerd']

let sequence = 0
const name = (): string => `b${++sequence}`

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}

async function remove(id: string): Promise<void> {
  await attempt(['ctr', 'task', 'kill', '--signal', 'SIGKILL', id])
  await eventually(
    `${id} has ended`,
    async () => (await attempt(['ctr', 'task', 'rm', id])).status === 0 || !(await isThere(id)),
  )
  await ctr('container', 'rm', id)
}

const isThere = async (id: string): Promise<boolean> =>
  (await ctr('task', 'ls', '--quiet')).split('\n').some((line) => line === id)

type Times = Record<string, number[]>

const noteIn =
  (times: Times) =>
  async (what: string, work: () => Promise<unknown>): Promise<void> => {
    times[what] = [...(times[what] ?? []), await milliseconds(work)]
  }

/** ctr run, in front and behind, and task exec, once. */
async function calls({ flags }: Way, times: Times): Promise<void> {
  const note = noteIn(times)
  await note('ctr run --rm /bin/true', () => ctr('run', '--rm', ...flags, IMAGE, name(), 'true'))
  const id = name()
  await note('ctr run --detach', () => ctr('run', '--detach', ...flags, IMAGE, id, 'sleep', '1000'))
  await note('ctr task exec /bin/true', () => ctr('task', 'exec', '--exec-id', name(), id, 'true'))
  await remove(id)
}

/** What containerd itself calls, once. */
async function tasks({ shim }: Way, configuration: Configuration, times: Times): Promise<void> {
  const note = noteIn(times)
  const short = new Task(name(), shim, configuration, ['true'])
  short.makeBundle()
  await note('a life of /bin/true', async () => {
    await short.startShim()
    await short.create()
    const ended = short.wait()
    await short.start()
    await ended
    await short.delete()
    await short.shutDown()
  })
  const task = new Task(name(), shim, configuration, ['sleep', '1000'])
  task.makeBundle()
  await note('start of the shim', () => task.startShim())
  await note('Create', () => task.create())
  const ended = task.wait()
  await note('Start', () => task.start())
  await note('Exec of /bin/true until its end', async () => {
    await task.exec('true', ['true'])
    await task.start('true')
    await task.wait('true')
    await task.delete('true')
  })
  await note('State', () => task.state())
  await note('Kill until its end', async () => {
    await task.kill(9)
    await ended
  })
  await note('Delete', () => task.delete())
  await task.shutDown()
}

/** Proportional set size of a process in KiB, and whose it is. */
function lookAt(pid: string): { readonly program: string; readonly pss: number } | undefined {
  try {
    const executable = readlinkSync(`/proc/${pid}/exe`)
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
    return { program: executable.split('/').at(-1) ?? '', pss: Number(pss ?? '0') }
  } catch {
    return undefined
  }
}

/** Of all that is there now and was not there before any runtime was. */
function memoryOf(before: ReadonlySet<string>): number {
  const found = processes().filter((pid) => !before.has(pid))
  return found
    .flatMap((pid) => lookAt(pid) ?? [])
    .filter(({ program }) => !OTHERS.includes(program))
    .reduce((sum, { pss }) => sum + pss, 0)
}

const processes = (): readonly string[] => readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))

async function memory(
  { flags }: Way,
  before: ReadonlySet<string>,
  counts: readonly number[],
): Promise<readonly Memory[]> {
  const ids: string[] = []
  const out: Memory[] = []
  for (const containers of counts) {
    while (ids.length < containers) {
      const id = name()
      await ctr('run', '--detach', ...flags, IMAGE, id, 'sleep', '1000')
      ids.push(id)
    }
    out.push({ containers, kib: memoryOf(before) })
  }
  for (const id of ids) await remove(id)
  return out
}

/** As a call leaves one behind on a host that is no sandbox. */
async function startPlanners(): Promise<void> {
  for (const root of RUNC_ROOTS) {
    startDaemon([TSRUNC, '--root', root, 'planner'])
    await eventually(`a planner of ${root}`, async () => existsSync(join(root, '~planner')))
  }
}

async function template(): Promise<Configuration> {
  const id = name()
  await ctr('run', '--detach', IMAGE, id, 'sleep', '1000')
  const configuration = configurationOf(id)
  await remove(id)
  return configuration
}

async function main(): Promise<void> {
  const [runtime = '', rounds = '', counts = ''] = process.argv.slice(2)
  mkdirSync('/usr/local/sbin', { recursive: true })
  for (const link of ['tsrunc', 'containerd-shim-tsrunc-v2']) symlinkSync(runtime, join('/usr/local/sbin', link))
  mkdirSync('/etc/containerd', { recursive: true })
  writeFileSync('/etc/containerd/config.toml', 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
  makeImages()
  startDaemon(['containerd'])
  await eventually('containerd answers', async () => (await attempt(['ctr', 'version'])).status === 0)
  await ctr('image', 'import', ARCHIVE)
  const containerd = await run(['containerd', '--version'])
  const configuration = await template()
  const ways = WAYS.map((way) => ({ way, calls: {} as Times, tasks: {} as Times, memory: [] as readonly Memory[] }))
  // The shim of tsrunc stays: memory is measured before it has done anything else.
  for (const found of ways) {
    const before = new Set(processes())
    if (found.way.shim.runtime === TSRUNC) await startPlanners()
    found.memory = await memory(found.way, before, counts.split(',').map(Number))
  }
  // Everybody in each round; the first two do not count.
  for (let i = -2; i < Number(rounds); ++i) {
    for (const { way, ...found } of shuffled(ways)) {
      await calls(way, i < 0 ? {} : found.calls)
      await tasks(way, configuration, i < 0 ? {} : found.tasks)
    }
  }
  const findings: ShimFindings = { containerd, ways: ways.map(({ way, ...found }) => ({ name: way.name, ...found })) }
  process.stdout.write(`${JSON.stringify(findings)}\n`)
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exit(1)
  },
)
