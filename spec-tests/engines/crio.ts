import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { attempt, type Engine, eventually, next, type Outcome, type Row, run } from './row'

/**
 * CRI-O is not among Debian's packages; conmon, by which it holds containers, is. These rows do what CRI-O does with conmon
 * and with the runtime, by the values of its drop-in: conmon's arguments, its two pipes, and calls with --root alone.
 */
const rows: Row[] = []
const row = (what: string, check: () => Promise<void>, ...verbs: string[]): void => {
  rows.push({ engine: 'crio', what, verbs, check })
}

const DIRECTORY = '/var/tmp/crio'
const EXITS = join(DIRECTORY, 'exits')
const SOCKETS = join(DIRECTORY, 'sockets')

/** A value of the drop-in. */
const setting = (name: string): string => {
  const text = readFileSync(join(process.env['ENGINES_CONFIG'] ?? '', 'crio.conf'), 'utf8')
  const value = new RegExp(`^${name} = "(.*)"$`, 'm').exec(text)?.[1]
  if (value === undefined) throw new Error(`crio.conf has no ${name}`)
  return value
}

const runtimeCommand = (...args: readonly string[]): readonly string[] => [
  setting('runtime_path'),
  '--root',
  setting('runtime_root'),
  ...args,
]
const runtime = (...args: readonly string[]): Promise<string> => run(runtimeCommand(...args))

const begin = async (): Promise<void> => {
  for (const path of [EXITS, SOCKETS]) mkdirSync(path, { recursive: true })
}

interface Container {
  readonly id: string
  readonly bundle: string
  readonly log: string
}

/** A bundle as `spec` writes it, with busybox. */
const makeBundle = async (script: string): Promise<Container> => {
  const id = `crio${next()}`
  const bundle = join(DIRECTORY, id)
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp']) mkdirSync(join(bundle, 'rootfs', name), { recursive: true })
  writeFileSync(join(bundle, 'rootfs/bin/busybox'), readFileSync('/bin/busybox'), { mode: 0o755 })
  for (const name of ['sh', 'sleep', 'cat', 'echo']) symlinkSync('busybox', join(bundle, 'rootfs/bin', name))
  await run([setting('runtime_path'), 'spec', '--bundle', bundle])
  const path = join(bundle, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8')) as {
    process: { args: string[]; terminal: boolean }
    root: { readonly: boolean }
    linux: { cgroupsPath?: string }
  }
  config.process.args = ['sh', '-c', script]
  config.process.terminal = false
  config.root.readonly = false
  config.linux.cgroupsPath = `/${id}`
  writeFileSync(path, JSON.stringify(config))
  return { id, bundle, log: join(bundle, 'log') }
}

/** What conmon says on its pipe: lines of JSON. */
const readSync = (pipe: Duplex): (() => readonly Record<string, unknown>[]) => {
  let text = ''
  pipe.on('data', (data: Buffer) => {
    text += data.toString()
  })
  pipe.on('error', () => undefined)
  return () =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Starts conmon and lets it go on; what it tells CRI-O. */
const conmon = async (bundle: string, args: readonly string[]): Promise<() => readonly Record<string, unknown>[]> => {
  const child = spawn(setting('monitor_path'), args, {
    cwd: bundle,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    // CRI-O gives it a path only for a restore, where CRIU has to be found.
    env: {
      _OCI_SYNCPIPE: '3',
      _OCI_STARTPIPE: '4',
      ...(args.includes('--restore') ? { PATH: process.env['PATH'] } : {}),
    },
  })
  const told = readSync(child.stdio[3] as Duplex)
  ;(child.stdio[4] as Duplex).write(Buffer.of(0))
  await eventually('a word of conmon', async () => told().length > 0)
  return told
}

const conmonArguments = ({ id, bundle, log }: Container): readonly string[] => [
  ...['-b', bundle, '-c', id, '--exit-dir', EXITS, '-l', log, '--log-level', 'info', '-n', `k8s_${id}`],
  ...['-P', join(bundle, 'conmon-pidfile'), '-p', join(bundle, 'pidfile'), '--persist-dir', bundle],
  ...['-r', setting('runtime_path'), '--runtime-arg', `--root=${setting('runtime_root')}`],
  ...['--socket-dir-path', SOCKETS, '--syslog', '-u', id],
]

const create = async (container: Container, ...more: readonly string[]): Promise<Record<string, unknown>> => {
  const [first = {}] = (await conmon(container.bundle, [...conmonArguments(container), ...more]))()
  return first
}

const started = async (script: string): Promise<Container> => {
  const container = await makeBundle(script)
  const { pid } = await create(container)
  equal(Number(readFileSync(join(container.bundle, 'pidfile'), 'utf8')), pid)
  await runtime('start', container.id)
  return container
}

const exitCode = async ({ id }: Container): Promise<number> => {
  await eventually('the exit file', async () => existsSync(join(EXITS, id)))
  return Number(readFileSync(join(EXITS, id), 'utf8'))
}

const remove = ({ id }: Container): Promise<string> => runtime('delete', '--force', id)

/** Lines of a log in the form of Kubernetes, without their time. */
const logged = ({ log }: Container): readonly string[] =>
  readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+ /, ''))

const exec = (container: Container, args: readonly string[]): Promise<Outcome> => {
  const file = join(container.bundle, `process-${next()}`)
  const config = JSON.parse(readFileSync(join(container.bundle, 'config.json'), 'utf8')) as { process: object }
  writeFileSync(file, JSON.stringify({ ...config.process, args }))
  return attempt(runtimeCommand('exec', '--process', file, container.id))
}

row('create by conmon and start: output and errors in the log, the exit code in its file', async () => {
  const container = await started('echo out; echo err >&2; exit 7')
  equal(await exitCode(container), 7)
  await eventually('both lines', async () => logged(container).length === 2)
  deepEqual([...logged(container)].sort(), ['stderr F err', 'stdout F out'])
  await remove(container)
})

row('a program that is not there: conmon tells why', async () => {
  const container = await makeBundle('true')
  const path = join(container.bundle, 'config.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"sh"', '"/no/such"'))
  const { pid, message } = await create(container)
  if (Number(pid) > 0) match((await attempt(runtimeCommand('start', container.id))).stderr, /no such file or directory/)
  else match(String(message), /no such file or directory/)
  await remove(container)
})

row(
  'exec: output and exit status',
  async () => {
    const container = await started('exec sleep 1000')
    const { status, stdout } = await exec(container, ['sh', '-c', 'cat /proc/1/comm; exit 4'])
    deepEqual([status, stdout], [4, 'sleep\n'])
    await remove(container)
  },
  'exec',
)

row(
  'ExecSync by conmon: the log and the exit code',
  async () => {
    const container = await started('exec sleep 1000')
    const [file, log] = [join(container.bundle, 'process.json'), join(container.bundle, 'exec-log')]
    const config = JSON.parse(readFileSync(join(container.bundle, 'config.json'), 'utf8')) as { process: object }
    writeFileSync(file, JSON.stringify({ ...config.process, args: ['sh', '-c', 'echo synced; exit 5'] }))
    const told = await conmon(container.bundle, [
      ...['-c', container.id, '-n', `k8s_${container.id}`, '-r', setting('runtime_path'), '-e', '-l', log],
      ...['-p', join(container.bundle, 'exec-pid'), '--socket-dir-path', SOCKETS, '--log-level', 'info', '--sync'],
      ...['--exec-process-spec', file, '--runtime-arg', `--root=${setting('runtime_root')}`],
    ])
    await eventually('the exit code', async () => told().some(({ exit_code: code }) => code !== undefined))
    equal(told().find(({ exit_code: code }) => code !== undefined)?.['exit_code'], 5)
    match(readFileSync(log, 'utf8'), / stdout F synced\n/)
    await remove(container)
  },
  'exec',
)

row('kill by a name, and the exit code of a signal', async () => {
  const container = await started('exec sleep 1000')
  await runtime('kill', container.id, 'KILL')
  equal(await exitCode(container), 137)
  match(await runtime('state', container.id), /"status": "stopped"/)
  await remove(container)
})

row(
  'update from standard input, pause and resume',
  async () => {
    const container = await started('exec sleep 1000')
    const input = JSON.stringify({ pids: { limit: 33 } })
    await run(runtimeCommand('update', '--resources', '-', container.id), { input })
    await runtime('pause', container.id)
    match(await runtime('state', container.id), /"status": "paused"/)
    await runtime('resume', container.id)
    match(await runtime('state', container.id), /"status": "running"/)
    await remove(container)
  },
  'update',
)

row(
  'checkpoint, and restore by conmon: it goes on where it was',
  async () => {
    const container = await started('n=0; while :; do n=$((n+1)); echo $n >/tmp/n; sleep 0.1; done')
    const count = (): number => Number(readFileSync(join(container.bundle, 'rootfs/tmp/n'), 'utf8'))
    await eventually('it counts', async () => existsSync(join(container.bundle, 'rootfs/tmp/n')) && count() > 3)
    const images = join(container.bundle, 'checkpoint')
    const where = ['--image-path', images, '--work-path', container.bundle]
    await run(runtimeCommand('checkpoint', ...where, container.id), { env: { PATH: process.env['PATH'] ?? '' } })
    const before = count()
    await eventually('the end', async () => existsSync(join(EXITS, container.id)))
    await attempt(runtimeCommand('delete', '--force', container.id))
    const { pid, message } = await create(container, '--restore', images)
    ok(Number(pid) > 0, String(message))
    await eventually('it counts on', async () => count() > before)
    await remove(container)
  },
  'checkpoint',
  'restore',
)

row('50 containers at once, and none is left', async () => {
  const containers = await Promise.all(Array.from({ length: 50 }, () => makeBundle('exit 3')))
  await Promise.all(containers.map((container) => create(container)))
  await Promise.all(containers.map(({ id }) => runtime('start', id)))
  for (const container of containers) equal(await exitCode(container), 3)
  await Promise.all(containers.map(remove))
  for (const { id } of containers) ok(!existsSync(join(setting('runtime_root'), id)))
})

export const engine: Engine = { name: 'crio', begin, rows }
