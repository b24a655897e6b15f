/**
 * In the sandbox of the engine tests: containerd with its own shim for runc, crun and tsrunc, and with tsrunc's shim. Prints one line
 * of JSON (bench/shim.ts).
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ARCHIVE, IMAGE, makeImages } from '../spec-tests/engines/image'
import { attempt, eventually, run, startDaemon } from '../spec-tests/engines/row'
import type { Memory, ShimFindings } from './shim'

interface Way {
  readonly name: string
  readonly flags: readonly string[]
}

const RUNC_SHIM = ['--runtime', 'io.containerd.runc.v2', '--runc-binary']
const WAYS: readonly Way[] = [
  { name: 'shim-runc, runc', flags: [...RUNC_SHIM, '/usr/sbin/runc'] },
  { name: 'shim-runc, crun', flags: [...RUNC_SHIM, '/usr/bin/crun'] },
  { name: 'shim-runc, tsrunc', flags: [...RUNC_SHIM, '/usr/local/sbin/tsrunc'] },
  { name: 'shim-tsrunc', flags: ['--runtime', 'io.containerd.tsrunc.v2'] },
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

/** ctr run, task start and task exec, once. */
async function round({ flags }: Way, times: Record<string, number[]>): Promise<void> {
  const note = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    times[what] = [...(times[what] ?? []), await milliseconds(work)]
  }
  await note('ctr run --rm /bin/true', () => ctr('run', '--rm', ...flags, IMAGE, name(), 'true'))
  const id = name()
  await ctr('container', 'create', ...flags, IMAGE, id, 'sleep', '1000')
  await note('ctr task start', () => ctr('task', 'start', '--detach', id))
  await note('ctr task exec /bin/true', () => ctr('task', 'exec', '--exec-id', name(), id, 'true'))
  await remove(id)
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

/** Of all that is there now and was not there before. */
function memoryOf(before: ReadonlySet<string>): number {
  const found = processes().filter((pid) => !before.has(pid))
  return found
    .flatMap((pid) => lookAt(pid) ?? [])
    .filter(({ program }) => !OTHERS.includes(program))
    .reduce((sum, { pss }) => sum + pss, 0)
}

const processes = (): readonly string[] => readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))

async function memory({ flags }: Way, counts: readonly number[]): Promise<readonly Memory[]> {
  const before = new Set(processes())
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
  const findings: ShimFindings = { containerd: await run(['containerd', '--version']), ways: [] }
  const times = WAYS.map(({ name }) => ({ name, times: {} as Record<string, number[]> }))
  // Everybody in each round; the first one does not count.
  for (let i = -1; i < Number(rounds); ++i) {
    for (const [index, way] of WAYS.entries()) await round(way, i < 0 ? {} : (times[index]?.times ?? {}))
  }
  const ways: ShimFindings['ways'][number][] = []
  for (const [index, way] of WAYS.entries()) {
    const { name, times: measured } = times[index] ?? { name: way.name, times: {} }
    ways.push({ name, times: measured, memory: await memory(way, counts.split(',').map(Number)) })
  }
  process.stdout.write(`${JSON.stringify({ ...findings, ways })}\n`)
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`)
    process.exit(1)
  },
)
