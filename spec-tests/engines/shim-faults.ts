/** Whatever is killed, in whatever state a container is: no exit status is lost that anybody could know, and nothing is left. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { IMAGE } from './image'
import { attempt, type Engine, eventually, type Row, run, startDaemon } from './row'
import {
  begin,
  ctr,
  detached,
  exec,
  killContainerd,
  killResident,
  leftOf,
  name,
  pidOf,
  processes,
  RUNTIME,
  remove,
  removeStopped,
  residents,
  restartContainerd,
  row,
  SHARED,
  SHIM,
  statusOf,
  stopped,
} from './shim-steps'
import { tasks } from './tasks-client'

const ENGINE = 'shim-faults'
const fault = (what: string, check: () => Promise<void>): Row => row(what, check, { engine: ENGINE })

/** One container in each state, by the state's name. */
interface States {
  readonly created: string
  readonly running: string
  readonly paused: string
  /** With an added process. */
  readonly exec: string
  /** It ended with 44, and was not deleted. */
  readonly ended: string
}

const file = (id: string): string => `/tmp/shared/${id}`
/** Ends with a status when a file appears. */
const until = (id: string, status: number): string => `while ! test -e /tmp/${id}; do sleep 0.1; done; exit ${status}`

const create = async (id: string, script: string): Promise<void> => {
  await ctr('container', 'create', ...RUNTIME, ...SHARED, IMAGE, id, 'sh', '-c', script)
  const { mounts } = await tasks.mounts({ snapshotter: 'overlayfs', key: id })
  await tasks.create({ container_id: id, rootfs: mounts })
}

const start = async (id: string, script: string): Promise<string> => {
  await create(id, script)
  await tasks.start({ container_id: id })
  return id
}

const everyState = async (): Promise<States> => {
  const [created, running, paused, added, ended] = [name(), name(), name(), name(), name()]
  await create(created, until(created, 40))
  await start(running, until(running, 41))
  await start(paused, until(paused, 42))
  await ctr('task', 'pause', paused)
  await start(added, until(added, 43))
  const script = `while ! test -e /tmp/${added}-exec; do sleep 0.1; done; exit 45`
  const command = `ctr task exec --exec-id ${added}-exec ${added} sh -c '${script}'; echo $? >/tmp/shared/${added}-status`
  startDaemon(['sh', '-c', command])
  await eventually(
    'the added process',
    async () => processes(`${added}-exec;`, 'sleep 0.1').length > 0 || hasExec(added),
  )
  await start(ended, 'exit 44')
  await stopped(ended)
  return { created, running, paused, exec: added, ended }
}

const hasExec = async (id: string): Promise<boolean> => (await ctr('task', 'ps', id)).includes(`${id}-exec`)

/**
 * Each goes on from its state to its end, which is told. A containerd that starts takes away what has ended and was not deleted, with
 * any shim.
 */
const expectAll = async (states: States, containerd: 'goes on' | 'started again'): Promise<void> => {
  const { created, running, paused, exec: added, ended } = states
  deepEqual(await Promise.all([created, running, paused, added, ended].map(statusOf)), [
    'CREATED',
    'RUNNING',
    'PAUSED',
    'RUNNING',
    containerd === 'goes on' ? 'STOPPED' : '',
  ])
  await tasks.start({ container_id: created })
  await ctr('task', 'resume', paused)
  for (const id of [created, running, paused, `${added}-exec`]) writeFileSync(file(id), '')
  equal(await removeStopped(created), 40)
  equal(await removeStopped(running), 41)
  equal(await removeStopped(paused), 42)
  writeFileSync(file(added), '')
  equal(await removeStopped(added), 43)
  if (containerd === 'goes on') equal(await removeStopped(ended), 44)
  for (const id of [created, running, paused, added, ended]) deepEqual(leftOf(id), [])
}

const execStatus = async (id: string): Promise<string> => {
  await eventually('its status', async () => existsSync(`/tmp/shared/${id}-status`))
  return (await run(['cat', `/tmp/shared/${id}-status`])).trim()
}

/** proc_pid_status(5). A monitor is the parent of the process that it holds. */
const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0')

const killMonitorOf = (pid: number): void => {
  const monitor = parentOf(pid)
  ok(readFileSync(`/proc/${monitor}/cmdline`, 'utf8').startsWith('tsrunc'), `${monitor} is no monitor`)
  process.kill(monitor, 'SIGKILL')
}

const execPidOf = async (id: string): Promise<number> => {
  const line = (await ctr('task', 'ps', id)).split('\n').find((text) => text.includes(`${id}-exec`))
  return Number(/^\d+/.exec(line ?? '')?.[0] ?? '0')
}

/** How many end in one second: many by hand, few where time is short. */
const MANY = Number(process.env['ENGINES_MANY'] || '20')

const rows: readonly Row[] = [
  fault('the resident process is killed: containers in every state go on', async () => {
    const states = await everyState()
    await killResident()
    await expectAll(states, 'goes on')
    equal(await execStatus(states.exec), '45')
  }),

  fault('containerd is killed: containers in every state go on', async () => {
    const states = await everyState()
    await killContainerd()
    await restartContainerd()
    await expectAll(states, 'started again')
  }),

  fault('containerd and the resident process are killed at once: containers in every state go on', async () => {
    const states = await everyState()
    await killContainerd()
    await killResident()
    await restartContainerd()
    await expectAll(states, 'started again')
  }),

  fault('the keeper is killed: containerd removes containers in every state, and the next one is well', async () => {
    const states = await everyState()
    const [keeper] = processes(SHIM, ' keeper')
    process.kill(keeper ?? 0, 'SIGKILL')
    for (const id of Object.values(states) as readonly string[]) {
      await eventually(
        `${id} is gone`,
        async () => ['', 'UNKNOWN', 'STOPPED'].includes(await statusOf(id)) && leftOf(id).length === 0,
      )
      await attempt(['ctr', 'task', 'rm', id])
      await ctr('container', 'rm', id)
    }
    await eventually('the resident process has ended', async () => residents().length === 0)
    const id = await detached('sleep 1000')
    equal(await exec(id, 'echo', 'well'), 'well')
    await remove(id)
  }),

  fault('monitors are killed: containers in every state go on, and end with a status', async () => {
    const { created, running, paused, exec: added, ended } = await everyState()
    killMonitorOf(await execPidOf(added))
    for (const id of [created, running, paused, added]) killMonitorOf(await pidOf(id))
    equal(await statusOf(running), 'RUNNING')
    equal(await statusOf(paused), 'PAUSED')
    await tasks.start({ container_id: created })
    await ctr('task', 'resume', paused)
    for (const id of [created, running, paused, `${added}-exec`]) writeFileSync(file(id), '')
    // Of each the keeper is the parent then.
    equal(await execStatus(added), '45')
    writeFileSync(file(added), '')
    const statuses = [await removeStopped(created), await removeStopped(running), await removeStopped(paused)]
    deepEqual([...statuses, await removeStopped(added)], [40, 41, 42, 43])
    equal(await removeStopped(ended), 44)
    for (const id of [created, running, paused, added, ended]) deepEqual(leftOf(id), [])
  }),

  fault('many containers end at the same moment: no exit status is lost', async () => {
    const ids: string[] = []
    for (let i = 0; i < MANY; ++i)
      ids.push(await start(name(), `while ! test -e /tmp/all; do sleep 0.1; done; exit ${i + 1}`))
    writeFileSync('/tmp/shared/all', '')
    const statuses: number[] = []
    for (const id of ids) statuses.push(await removeStopped(id))
    deepEqual(
      statuses,
      ids.map((_, i) => i + 1),
    )
  }),

  fault('logs: on a full disk the container goes on, and its status is known', async () => {
    mkdirSync('/tmp/full')
    await run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'full', '/tmp/full'])
    const id = await detached('head -c 1000000 /dev/zero; exit 46', '--log-uri', 'file:///tmp/full/log')
    equal(await removeStopped(id), 46)
    deepEqual(leftOf(id), [])
    await run(['umount', '/tmp/full'])
  }),

  fault('output that nobody reads: the writer waits, nobody else does, and it can be killed', async () => {
    const id = name()
    const fifo = `/tmp/shared/${id}-fifo`
    await run(['mkfifo', fifo])
    const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    await ctr(
      'container',
      'create',
      ...RUNTIME,
      ...SHARED,
      IMAGE,
      id,
      'sh',
      '-c',
      `head -c 1000000 /dev/zero; touch /tmp/${id}`,
    )
    const { mounts } = await tasks.mounts({ snapshotter: 'overlayfs', key: id })
    await tasks.create({ container_id: id, rootfs: mounts, stdout: fifo })
    await tasks.start({ container_id: id })
    const other = await detached('sleep 1000')
    equal(await exec(other, 'echo', 'well'), 'well')
    await remove(other)
    equal(await statusOf(id), 'RUNNING')
    equal(existsSync(file(id)), false)
    await ctr('task', 'kill', '--signal', 'SIGKILL', id)
    equal(await removeStopped(id), 137)
    deepEqual(leftOf(id), [])
    closeSync(reader)
  }),
]

export const engine: Engine = { name: ENGINE, begin, rows }
