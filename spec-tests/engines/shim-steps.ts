/** What the rows of `shim` have in common: containerd with the shim of the runtime's own, by ctr. */
import { ok } from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ARCHIVE, IMAGE } from './image'
import { attempt, eventually, expectStatus, next, type Row, run, startDaemon } from './row'

const PLACES = '/run/tsrunc-shim'
/** Of the containers of ctr. */
export const ROOT = '/run/containerd/tsrunc/default'

/** What keeper and resident process have said last. */
const shimLog = (): string =>
  existsSync(PLACES)
    ? readdirSync(PLACES)
        .flatMap((place) =>
          readFileSync(join(PLACES, place, 'log'), 'utf8')
            .split('\n')
            .slice(-15),
        )
        .join('\n')
    : ''

export const SHIM = 'containerd-shim-tsrunc-v2'
export const RUNTIME = ['--runtime', 'io.containerd.tsrunc.v2']
export const ctr = (...args: string[]): Promise<string> => run(['ctr', ...args])
export const name = (): string => `s${next()}`

export const detached = async (script: string, ...options: string[]): Promise<string> => {
  const id = name()
  await ctr('run', '--detach', ...RUNTIME, ...options, IMAGE, id, 'sh', '-c', script)
  return id
}

export const exec = (id: string, ...command: string[]): Promise<string> =>
  ctr('task', 'exec', '--exec-id', name(), id, ...command)

export const statusOf = async (id: string): Promise<string> => {
  const line = (await ctr('task', 'ls')).split('\n').find((text) => text.split(/\s+/)[0] === id)
  return line?.trim().split(/\s+/)[2] ?? ''
}

export const stopped = (id: string): Promise<void> =>
  eventually(`${id} is stopped`, async () => ['STOPPED', ''].includes(await statusOf(id)))

/** The exit status, as `task rm` warns of it. */
export const removeStopped = async (id: string): Promise<number> => {
  await stopped(id)
  const { stderr } = expectStatus(await attempt(['ctr', 'task', 'rm', id]), 0)
  await ctr('container', 'rm', id)
  return Number(/exit code (\d+)/.exec(stderr)?.[1] ?? '0')
}

export const remove = async (id: string): Promise<void> => {
  await attempt(['ctr', 'task', 'kill', '--signal', 'SIGKILL', id])
  await removeStopped(id)
}

/** Process ids whose command line has all of the words. */
export const processes = (...words: readonly string[]): readonly number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        const line = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return words.every((word) => line.includes(word))
      } catch {
        return false
      }
    })
    .map(Number)

export const residents = (): readonly number[] => processes(SHIM, ' resident ')

export const killResident = async (): Promise<void> => {
  const [resident] = residents()
  ok(resident !== undefined)
  process.kill(resident, 'SIGKILL')
  await eventually('another resident process', async () => residents().some((pid) => pid !== resident))
}

const startContainerd = async (): Promise<number> => {
  // As a service of systemd's has it: no container may be waited for because of it.
  const log = startDaemon(['containerd'], { NOTIFY_SOCKET: '/run/notify' })
  const answers = async (): Promise<boolean> => (await attempt(['ctr', 'version'])).status === 0
  await eventually('containerd answers', answers).catch((error: Error) => {
    throw new Error(`${error.message}\n${log()}`)
  })
  const [pid] = readdirSync('/proc').filter((entry) => {
    try {
      return readFileSync(`/proc/${entry}/comm`, 'utf8') === 'containerd\n'
    } catch {
      return false
    }
  })
  return Number(pid)
}

let containerd = 0

export const killContainerd = async (): Promise<void> => {
  process.kill(containerd, 'SIGKILL')
  await eventually('it is gone', async () => !existsSync(`/proc/${containerd}/exe`))
}

export const restartContainerd = async (): Promise<void> => {
  containerd = await startContainerd()
}

export const configure = (): void => {
  for (const path of ['/etc/containerd', '/tmp/shared']) mkdirSync(path, { recursive: true })
  writeFileSync('/etc/containerd/config.toml', 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
}

export const begin = async (): Promise<void> => {
  configure()
  containerd = await startContainerd()
  await ctr('image', 'import', ARCHIVE)
}

export const SHARED = ['--mount', 'type=bind,src=/tmp/shared,dst=/tmp,options=rbind:rw']

/** A runtime that has no planner has no shim either. */
export const row = (
  what: string,
  check: () => Promise<void>,
  { engine = 'shim', verbs = [] }: Partial<Pick<Row, 'engine' | 'verbs'>> = {},
): Row => {
  const withLog = (error: Error): never => {
    throw new Error(`${error.message}\n${shimLog()}`)
  }
  return { engine, what, verbs: ['planner', ...verbs], check: () => check().catch(withLog) }
}

export const pidOf = async (id: string): Promise<number> => {
  const line = (await ctr('task', 'ls')).split('\n').find((text) => text.split(/\s+/)[0] === id)
  return Number(line?.trim().split(/\s+/)[1] ?? '0')
}

/** A file of the container's cgroup: on cgroup v1 of the controller's hierarchy. */
export const limitOf = async (id: string, controller: string, file: string): Promise<string> => {
  const lines = readFileSync(`/proc/${await pidOf(id)}/cgroup`, 'utf8').split('\n')
  const v1 = lines.find((line) => line.split(':')[1]?.split(',').includes(controller))
  const path = (v1 ?? lines.find((line) => line.startsWith('0::')))?.split(':')[2] ?? ''
  return readFileSync(join('/sys/fs/cgroup', v1 === undefined ? '' : controller, path, file), 'utf8').trim()
}

/** What is left of a container, besides containerd's own record of it and clients that ask for it. */
export const leftOf = (id: string): readonly string[] => [
  ...readdirSync(ROOT).filter((entry) => entry === id),
  ...readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`/${id}/`)),
  ...processes(id)
    .filter((pid) => !processes('ctr ').includes(pid))
    .map((pid) => `process ${pid}`),
]
