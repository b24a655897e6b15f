/** containerd with a shim of the runtime's own: one keeper and one resident process for all containers, and a monitor for each. */
import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { IMAGE } from './image'
import { attempt, type Engine, eventually, type Row, run, runOnTerminal, startDaemon } from './row'
import { rows as methods } from './shim-methods'
import {
  begin,
  ctr,
  detached,
  exec,
  killContainerd,
  killResident,
  name,
  processes,
  ROOT,
  RUNTIME,
  remove,
  removeStopped,
  residents,
  restartContainerd,
  row,
  SHARED,
  SHIM,
  statusOf,
} from './shim-steps'

const rows: Row[] = []
const add = (what: string, check: () => Promise<void>): void => {
  rows.push(row(what, check))
}

add('run: output, environment, working directory, exit status', async () => {
  const text = await ctr(
    ...['run', '--rm', ...RUNTIME, '--env', 'ONE=1', '--cwd', '/tmp', IMAGE, name()],
    ...['sh', '-c', 'echo $ONE $ORIGIN $PWD $$'],
  )
  equal(text, '1 image /tmp 1')
  equal((await attempt(['ctr', 'run', '--rm', ...RUNTIME, IMAGE, name(), 'sh', '-c', 'exit 23'])).status, 23)
})

add('run: a program that is not there is an error, and nothing is left', async () => {
  const id = name()
  const outcome = await attempt(['ctr', 'run', '--rm', ...RUNTIME, IMAGE, id, '/no/such'])
  notEqual(outcome.status, 0)
  match(outcome.stderr, /\/no\/such.*no such file or directory/)
  equal(await statusOf(id), '')
  equal(readFileSync('/proc/mounts', 'utf8').includes(id), false)
  await attempt(['ctr', 'container', 'rm', id])
})

add('run --tty, exec --tty: terminals', async () => {
  const command = ['ctr', 'run', '--rm', '--tty', ...RUNTIME, IMAGE, name(), 'tty']
  match(await runOnTerminal(command), /\/dev\/(pts\/0|console)/)
  const id = await detached('sleep 1000')
  match(await runOnTerminal(['ctr', 'task', 'exec', '--tty', '--exec-id', name(), id, 'tty']), /\/dev\/pts\/\d/)
  await remove(id)
})

add('exec: in the same namespaces, with its status; kill, ps, metrics, rm', async () => {
  const id = await detached('echo here >/tmp/file; sleep 1000')
  await eventually('the file', async () => (await exec(id, 'cat', '/tmp/file')) === 'here')
  equal((await attempt(['ctr', 'task', 'exec', '--exec-id', name(), id, 'sh', '-c', 'exit 9'])).status, 9)
  match(await ctr('task', 'metrics', id), /pids\.current\s+1/)
  equal((await ctr('task', 'ps', id)).split('\n').length, 2)
  notEqual((await attempt(['ctr', 'task', 'rm', id])).status, 0)
  await ctr('task', 'kill', '--signal', 'SIGKILL', id)
  equal(await removeStopped(id), 137)
})

add('pause, resume: nothing moves in between', async () => {
  const id = await detached('n=0; while :; do n=$((n+1)); echo $n >/tmp/n; sleep 0.05; done', ...SHARED)
  const count = (): Promise<string> => run(['cat', '/tmp/shared/n'])
  await eventually('it counts', async () => Number(await count()) > 2)
  await ctr('task', 'pause', id)
  equal(await statusOf(id), 'PAUSED')
  const before = await count()
  await ctr('task', 'resume', id)
  await eventually('it counts again', async () => Number(await count()) > Number(before))
  await remove(id)
})

add('events: in containerd’s order', async () => {
  const log = '/tmp/shared/events'
  startDaemon(['sh', '-c', `exec ctr events >${log}`])
  const topics = (id: string): readonly string[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"container_id":"${id}"`))
      .map((line) => /\/tasks\/\S+/.exec(line)?.[0] ?? line)
  await eventually('events are written', async () => {
    const probe = await detached('true')
    await removeStopped(probe)
    return topics(probe).includes('/tasks/delete')
  })
  const id = await detached('sleep 1000')
  await exec(id, 'true')
  await ctr('task', 'pause', id)
  await ctr('task', 'resume', id)
  await remove(id)
  const expected = ['create', 'start', 'exec-added', 'exec-started', 'exit', 'paused', 'resumed', 'exit', 'delete']
  await eventually('the last event', async () => topics(id).includes('/tasks/delete'))
  deepEqual(
    topics(id),
    expected.map((topic) => `/tasks/${topic}`),
  )
})

add('one keeper and one resident process for twenty containers at once', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => detached('exec sleep 1000')))
  equal(processes(SHIM, ' keeper').length, 1)
  equal(residents().length, 1)
  await Promise.all(ids.map(remove))
  deepEqual(
    ids.filter((id) => readdirSync(ROOT).includes(id)),
    [],
  )
  equal(
    ids.some((id) => readFileSync('/proc/mounts', 'utf8').includes(id)),
    false,
  )
})

add('the resident process plans, also after another has taken over: no second node', async () => {
  const id = await detached('sleep 1000')
  // V8 reserves more address space than that before it does anything.
  const withoutNode = [
    'prlimit',
    '--as=67108864',
    'tsrunc',
    '--root',
    ROOT,
    '--planner',
    'on',
    'exec',
    id,
    'echo',
    'warm',
  ]
  equal(await run(withoutNode), 'warm')
  await killResident()
  // It begins to plan with its first own call.
  equal(await exec(id, 'echo', 'still'), 'still')
  equal(await run(withoutNode), 'warm')
  equal(processes('main.js', ' planner').length, 0)
  await remove(id)
})

add('the resident process is killed: containers go on, and no exit status is lost', async () => {
  const script = 'while ! test -e /tmp/go; do sleep 0.1; done; exit 41'
  const early = await detached(`touch /tmp/early; ${script.replace('41', '42')}`, ...SHARED)
  const late = await detached(script, ...SHARED)
  await killResident()
  writeFileSync('/tmp/shared/go', '')
  equal(await removeStopped(late), 41)
  await killResident()
  equal(await removeStopped(early), 42)
  const id = await detached('sleep 1000')
  equal(await exec(id, 'echo', 'still'), 'still')
  await remove(id)
})

add('containerd is killed: containers go on, and no exit status is lost', async () => {
  const id = await detached('while ! test -e /tmp/over; do sleep 0.1; done; exit 43', ...SHARED)
  await killContainerd()
  await restartContainerd()
  equal(await statusOf(id), 'RUNNING')
  writeFileSync('/tmp/shared/over', '')
  equal(await removeStopped(id), 43)
})

export const engine: Engine = { name: 'shim', begin, rows: [...rows, ...methods] }
