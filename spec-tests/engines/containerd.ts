import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { memoryLimit } from './cgroup'
import { ARCHIVE, IMAGE } from './image'
import { attempt, delay, type Engine, eventually, next, type Row, run, runOnTerminal, startDaemon } from './row'

const rows: Row[] = []
const row = (what: string, check: () => Promise<void>, ...verbs: string[]): void => {
  rows.push({ engine: 'containerd', what, verbs, check })
}

const ctr = (...args: string[]): Promise<string> => run(['ctr', ...args])
const RUNTIME = ['--runc-binary', '/usr/local/sbin/tsrunc']
const name = (): string => `c${next()}`

/** A container in the background, running a script of sh. */
const detached = async (script: string, ...options: string[]): Promise<string> => {
  const id = name()
  await ctr('run', '--detach', ...RUNTIME, ...options, IMAGE, id, 'sh', '-c', script)
  return id
}

const exec = (id: string, ...command: string[]): Promise<string> =>
  ctr('task', 'exec', '--exec-id', name(), id, ...command)

/** STATUS of a task: RUNNING, PAUSED, STOPPED, or nothing. */
const statusOf = async (id: string): Promise<string> => {
  const line = (await ctr('task', 'ls')).split('\n').find((text) => text.split(/\s+/)[0] === id)
  return line?.trim().split(/\s+/)[2] ?? ''
}

const remove = async (id: string): Promise<void> => {
  await attempt(['ctr', 'task', 'kill', '--signal', 'SIGKILL', id])
  await eventually(`${id} is stopped`, async () => ['STOPPED', ''].includes(await statusOf(id)))
  await attempt(['ctr', 'task', 'rm', id])
  await ctr('container', 'rm', id)
}

const begin = async (): Promise<void> => {
  for (const path of ['/etc/containerd', '/tmp/shared']) mkdirSync(path, { recursive: true })
  writeFileSync('/etc/containerd/config.toml', 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
  const log = startDaemon(['containerd'])
  await eventually('containerd answers', async () => (await attempt(['ctr', 'version'])).status === 0).catch(
    (error: Error) => {
      throw new Error(`${error.message}\n${log()}`)
    },
  )
  await ctr('image', 'import', ARCHIVE)
}

row('run: output, environment, working directory', async () => {
  const text = await ctr(
    ...['run', '--rm', ...RUNTIME, '--env', 'ONE=1', '--cwd', '/tmp', IMAGE, name()],
    ...['sh', '-c', 'echo $ONE $ORIGIN $PWD $$'],
  )
  equal(text, '1 image /tmp 1')
})

row('run: the exit status is the container’s', async () => {
  equal((await attempt(['ctr', 'run', '--rm', ...RUNTIME, IMAGE, name(), 'sh', '-c', 'exit 23'])).status, 23)
})

row('run: a program that is not there is an error, and nothing is left', async () => {
  const id = name()
  const outcome = await attempt(['ctr', 'run', '--rm', ...RUNTIME, IMAGE, id, '/no/such'])
  notEqual(outcome.status, 0)
  match(outcome.stderr, /\/no\/such.*no such file or directory/)
  equal(await statusOf(id), '')
  await attempt(['ctr', 'container', 'rm', id])
})

row('run --tty: a terminal', async () => {
  match(
    await runOnTerminal(['ctr', 'run', '--rm', '--tty', ...RUNTIME, IMAGE, name(), 'tty']),
    /\/dev\/(pts\/0|console)/,
  )
})

row('run --memory-limit: in the cgroup', async () => {
  const limit = '33554432'
  const id = await detached('sleep 1000', '--memory-limit', limit)
  equal(memoryLimit(`default/${id}`), limit)
  await remove(id)
})

row('run --read-only, --cap-drop, --seccomp', async () => {
  const text = await ctr(
    ...['run', '--rm', ...RUNTIME, '--read-only', '--cap-drop', 'CAP_CHOWN', '--seccomp', IMAGE, name(), 'sh', '-c'],
    'touch /a 2>/dev/null || echo ro; chown 1 /tmp 2>/dev/null || echo nochown; grep Seccomp: /proc/self/status',
  )
  deepEqual(text.split(/\s+/), ['ro', 'nochown', 'Seccomp:', '2'])
})

row('run --uidmap, --gidmap: a user namespace', async () => {
  const maps = ['--uidmap', '0:100000:65536', '--gidmap', '0:100000:65536', '--remap-labels']
  const outcome = await attempt(['ctr', 'run', '--rm', ...RUNTIME, ...maps, IMAGE, name(), 'cat', '/proc/self/uid_map'])
  equal(outcome.stderr, '')
  deepEqual(outcome.stdout.trim().split(/\s+/), ['0', '100000', '65536'])
})

row(
  'exec: in the same namespaces, with its status',
  async () => {
    const id = await detached('echo here >/tmp/file; sleep 1000')
    await eventually('the file', async () => (await exec(id, 'cat', '/tmp/file')) === 'here')
    equal(await exec(id, 'hostname'), await exec(id, 'cat', '/proc/sys/kernel/hostname'))
    match(await exec(id, 'cat', '/proc/1/cmdline'), /^sleep.1000/)
    equal((await attempt(['ctr', 'task', 'exec', '--exec-id', name(), id, 'sh', '-c', 'exit 9'])).status, 9)
    await remove(id)
  },
  'exec',
)

row(
  'exec --tty: a terminal',
  async () => {
    const id = await detached('sleep 1000')
    match(await runOnTerminal(['ctr', 'task', 'exec', '--tty', '--exec-id', name(), id, 'tty']), /\/dev\/pts\/\d/)
    await remove(id)
  },
  'exec',
)

row(
  'exec --user, --cwd',
  async () => {
    const id = await detached('sleep 1000')
    const options = ['--user', '1000:1000', '--cwd', '/tmp', '--exec-id', name()]
    equal(await ctr('task', 'exec', ...options, id, 'sh', '-c', 'echo $(id -u) $PWD'), '1000 /tmp')
    await remove(id)
  },
  'exec',
)

row('ps: the processes', async () => {
  const id = await detached('sleep 1000 & wait')
  await eventually('two processes', async () => (await ctr('task', 'ps', id)).split('\n').length === 3)
  await remove(id)
})

row('kill: the signal arrives', async () => {
  const shared = 'type=bind,src=/tmp/shared,dst=/tmp,options=rbind:rw'
  const script = "trap 'echo got >/tmp/got' USR1; echo >/tmp/ready; while :; do sleep 0.1; done"
  const id = await detached(script, '--mount', shared)
  await eventually('ready', async () => existsSync('/tmp/shared/ready'))
  await ctr('task', 'kill', '--signal', 'SIGUSR1', id)
  await eventually('the trap', async () => existsSync('/tmp/shared/got'))
  await remove(id)
})

row('kill --all: every process of the container', async () => {
  const id = await detached('sleep 1000 & sleep 1000')
  await ctr('task', 'kill', '--all', '--signal', 'SIGKILL', id)
  await eventually('it is stopped', async () => (await statusOf(id)) === 'STOPPED')
  await ctr('task', 'rm', id)
  await ctr('container', 'rm', id)
})

row('pause, resume: nothing moves in between', async () => {
  const id = await detached(
    'n=0; while :; do n=$((n+1)); echo $n >/tmp/n; sleep 0.05; done',
    '--mount',
    'type=bind,src=/tmp/shared,dst=/tmp,options=rbind:rw',
  )
  const count = (): Promise<string> => run(['cat', '/tmp/shared/n'])
  await eventually('it counts', async () => Number(await count()) > 2)
  await ctr('task', 'pause', id)
  equal(await statusOf(id), 'PAUSED')
  const before = await count()
  await delay(400)
  equal(await count(), before)
  await ctr('task', 'resume', id)
  await eventually('it counts again', async () => (await count()) !== before)
  await remove(id)
})

row('metrics: memory and processes', async () => {
  const id = await detached('sleep 1000')
  const text = await ctr('task', 'metrics', id)
  match(text, /memory\.usage_in_bytes\s+[1-9]/)
  match(text, /pids\.current\s+1/)
  await remove(id)
})

row(
  'checkpoint and restore: it goes on where it was',
  async () => {
    const id = await detached('n=0; while :; do n=$((n+1)); echo $n >/tmp/n; sleep 0.1; done')
    const count = async (of: string): Promise<number> => Number(await exec(of, 'cat', '/tmp/n'))
    await eventually('it counts', async () => (await count(id)) > 3)
    await ctr('container', 'checkpoint', '--rw', '--image', '--task', id, 'checkpoint:1')
    await remove(id)
    const restored = name()
    await ctr('container', 'restore', '--rw', '--live', restored, 'checkpoint:1')
    await eventually('it counts on', async () => (await count(restored)) > 4)
    await remove(restored)
  },
  'exec',
  'checkpoint',
  'restore',
)

row('50 containers at once, and none is left', async () => {
  const ids = Array.from({ length: 50 }, name)
  const start = (id: string): Promise<string> =>
    run(['ctr', 'run', '--detach', ...RUNTIME, IMAGE, id, 'sh', '-c', 'echo $$ >/tmp/pid; exec sleep 1000'], {
      timeout: 120_000,
    })
  await Promise.all(ids.map(start))
  const lines = (await ctr('task', 'ls')).split('\n').filter((line) => ids.includes(line.split(/\s+/)[0] ?? ''))
  equal(lines.length, 50)
  ok(lines.every((line) => line.includes('RUNNING')))
  await Promise.all(ids.map(remove))
  deepEqual(
    ids.filter((id) => readdirSync('/run/containerd/runc/default').includes(id)),
    [],
  )
})

row('200 short ones in a row, none lost, and none is left', async () => {
  const ids = Array.from({ length: 200 }, name)
  for (const id of ids) {
    const text = await ctr('run', '--rm', ...RUNTIME, IMAGE, id, 'echo', id)
    equal(text, id)
  }
  deepEqual(
    ids.filter((id) => readdirSync('/run/containerd/runc/default').includes(id)),
    [],
  )
  const containers = (await ctr('container', 'ls', '--quiet')).split('\n')
  deepEqual(
    ids.filter((id) => containers.includes(id)),
    [],
  )
})

export const engine: Engine = { name: 'containerd', begin, rows }
