/** The shim beneath a real systemd, in the virtual machine of pure cgroup v2: scopes, and what containerd's v2 messages say of them. */
import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ARCHIVE, IMAGE } from './image'
import { attempt, type Engine, eventually, type Row, run, startDaemon } from './row'
import {
  configure,
  ctr,
  detached,
  exec,
  leftOf,
  limitOf,
  name,
  pidOf,
  RUNTIME,
  remove,
  removeStopped,
  row,
  statusOf,
} from './shim-steps'
import { tasks } from './tasks-client'

const rows: Row[] = []
const add = (what: string, check: () => Promise<void>): void => {
  rows.push(row(what, check, { engine: 'shim-systemd' }))
}

const LIMIT = String(64 * 1024 * 1024)

const propertyOf = (unit: string, property: string): Promise<string> =>
  run(['systemctl', 'show', '--property', property, '--value', unit])

const cgroupOf = async (id: string): Promise<string> =>
  readFileSync(`/proc/${await pidOf(id)}/cgroup`, 'utf8')
    .trim()
    .slice('0::'.length)

add('a cgroup as systemd names it: a scope with the limits, and it goes with the container', async () => {
  const id = name()
  const unit = `tsrunc-${id}.scope`
  const options = ['--cgroup', `system.slice:tsrunc:${id}`, '--memory-limit', LIMIT]
  await ctr('run', '--detach', ...RUNTIME, ...options, IMAGE, id, 'sleep', '1000')
  equal(await cgroupOf(id), `/system.slice/${unit}`)
  equal(await propertyOf(unit, 'MemoryMax'), LIMIT)
  equal(await limitOf(id, 'memory', 'memory.max'), LIMIT)
  equal(await propertyOf(unit, 'ActiveState'), 'active')
  await exec(id, 'sh', '-c', 'sleep 1000 & true')
  deepEqual((await ctr('task', 'ps', id)).split('\n').length, 3)
  await remove(id)
  equal(await propertyOf(unit, 'ActiveState'), 'inactive')
  equal(existsSync(join('/sys/fs/cgroup/system.slice', unit)), false)
  deepEqual(leftOf(id), [])
})

add('metrics: what the files of cgroup v2 say', async () => {
  const id = await detached('sleep 1000', '--memory-limit', LIMIT)
  const text = await ctr('task', 'metrics', id)
  const metric = (what: string): string =>
    new RegExp(`^${what.replaceAll('.', '\\.')}\\s+(\\S+)`, 'm').exec(text)?.[1] ?? ''
  equal(metric('pids.current'), '1')
  equal(metric('memory.usage_limit'), LIMIT)
  notEqual(metric('memory.usage'), '')
  notEqual(metric('memory.usage'), '0')
  notEqual(metric('cpu.usage_usec'), '')
  const { metrics } = await tasks.metrics({ filters: [`id==${id}`] })
  deepEqual(
    metrics.map((one) => [one.id, one.data?.type_url]),
    [[id, 'io.containerd.cgroups.v2.Metrics']],
  )
  await remove(id)
})

add('exec, pause, resume: with the freezer of cgroup v2', async () => {
  const id = await detached('sleep 1000')
  equal((await attempt(['ctr', 'task', 'exec', '--exec-id', name(), id, 'sh', '-c', 'exit 9'])).status, 9)
  await ctr('task', 'pause', id)
  equal(await statusOf(id), 'PAUSED')
  match(await limitOf(id, 'freezer', 'cgroup.events'), /^frozen 1$/m)
  await ctr('task', 'resume', id)
  match(await limitOf(id, 'freezer', 'cgroup.events'), /^frozen 0$/m)
  await ctr('task', 'kill', '--signal', 'SIGKILL', id)
  equal(await removeStopped(id), 137)
})

add('a container that has no memory left: its event, and its status', async () => {
  const log = '/tmp/shared/oom'
  startDaemon(['sh', '-c', `exec ctr events >${log}`])
  const told = (topic: string, id: string): boolean =>
    readFileSync(log, 'utf8')
      .split('\n')
      .some((line) => line.includes(topic) && line.includes(`"${id}"`))
  await eventually('events are written', async () => {
    const probe = await detached('true')
    await removeStopped(probe)
    return told('/tasks/delete', probe)
  })
  const id = await detached('exec tail /dev/zero', '--memory-limit', LIMIT)
  equal(await removeStopped(id), 137)
  await eventually('the event', async () => told('/tasks/oom', id))
})

/** containerd as Debian's package has systemd start it. */
const begin = async (): Promise<void> => {
  configure()
  await run(['systemctl', 'restart', 'containerd'])
  await ctr('image', 'import', ARCHIVE)
}

export const engine: Engine = { name: 'shim-systemd', begin, rows }
