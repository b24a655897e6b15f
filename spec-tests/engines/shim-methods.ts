/** What ctr's users seldom ask of a shim: updates, checkpoints, logs that are no fifos, options. */
import { deepEqual, equal, match, notEqual, rejects } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IMAGE } from './image'
import { attempt, eventually, type Row, startDaemon } from './row'
import {
  ctr,
  detached,
  exec,
  leftOf,
  limitOf,
  name,
  processes,
  RUNTIME,
  remove,
  removeStopped,
  row,
  SHIM,
  statusOf,
} from './shim-steps'
import { bootstrap, checkpointOptions, runcOptions, tasks } from './tasks-client'

const CONTAINERD = '/run/containerd/containerd.sock'

const LOGGER = '/tmp/shared/logger'
/** As containerd's documentation has it: outputs are descriptors 3 and 4, and 5 is closed once it is ready. */
const LOGGER_TEXT = `#!/bin/sh
cat <&3 >/tmp/shared/$CONTAINER_ID.out 5>&- & cat <&4 >/tmp/shared/$CONTAINER_ID.err 5>&- &
echo "$CONTAINER_NAMESPACE $*" >/tmp/shared/$CONTAINER_ID.words
exec 5>&-
wait
`

export const rows: readonly Row[] = [
  row('update: the limits of a container that runs', async () => {
    const id = await detached('sleep 1000')
    const value = Buffer.from(JSON.stringify({ pids: { limit: 77 } }))
    const type_url = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources'
    await tasks.update({ container_id: id, resources: { type_url, value } })
    equal(await limitOf(id, 'pids', 'pids.max'), '77')
    const wrong = Buffer.from(JSON.stringify({ pids: { limit: 'many' } }))
    await rejects(tasks.update({ container_id: id, resources: { type_url, value: wrong } }), /update failed/)
    equal(await limitOf(id, 'pids', 'pids.max'), '77')
    await remove(id)
  }),

  row('metrics: of all containers at once', async () => {
    const ids = [await detached('sleep 1000'), await detached('sleep 1000')]
    const { metrics } = await tasks.metrics({ filters: [] })
    deepEqual(
      ids.filter(
        (id) =>
          !metrics.some((metric) => metric.id === id && /cgroups\.v\d\.Metrics/.test(metric.data?.type_url ?? '')),
      ),
      [],
    )
    for (const id of ids) await remove(id)
  }),

  row(
    'checkpoint: it goes on, and ends where that is asked for',
    async () => {
      const id = await detached('n=0; while :; do n=$((n+1)); echo $n >/tmp/n; sleep 0.05; done')
      const count = async (): Promise<number> => Number(await exec(id, 'cat', '/tmp/n'))
      await eventually('it counts', async () => (await count()) > 2)
      match(await ctr('task', 'checkpoint', id), /^containerd\.io\/checkpoint\//)
      const before = await count()
      await eventually('it counts on', async () => (await count()) > before)
      await remove(id)
      // ctr asks it of runc's shim alone. Of another container: containerd keeps an image of each once.
      const last = await detached('while :; do sleep 0.05; done')
      await tasks.checkpoint({ container_id: last, options: checkpointOptions({ exit: true }) })
      await removeStopped(last)
      deepEqual(leftOf(last), [])
    },
    { verbs: ['checkpoint'] },
  ),

  row(
    'restore: it goes on where it was, and has its exit status',
    async () => {
      const id = await detached('trap "exit 7" TERM; n=0; while :; do n=$((n+1)); echo $n >/tmp/n; sleep 0.1; done')
      const count = async (of: string): Promise<number> => Number(await exec(of, 'cat', '/tmp/n'))
      await eventually('it counts', async () => (await count(id)) > 3)
      await ctr('container', 'checkpoint', '--rw', '--image', '--task', id, 'checkpoint:1')
      await remove(id)
      const restored = name()
      await ctr('container', 'restore', '--rw', '--live', restored, 'checkpoint:1')
      await eventually('it counts on', async () => (await count(restored)) > 4)
      await ctr('task', 'kill', '--signal', 'TERM', restored)
      equal(await removeStopped(restored), 7)
      deepEqual(leftOf(restored), [])
    },
    { verbs: ['checkpoint'] },
  ),

  row(
    'restore: without CRIU it is an error, and nothing is left',
    async () => {
      const id = await detached('exec sleep 1000')
      await ctr('container', 'checkpoint', '--rw', '--image', '--task', id, 'checkpoint:2')
      await remove(id)
      const restored = name()
      await attempt(['sh', '-c', 'mv /usr/sbin/criu /usr/sbin/criu.away'])
      try {
        const outcome = await attempt(['ctr', 'container', 'restore', '--rw', '--live', restored, 'checkpoint:2'])
        notEqual(outcome.status, 0)
        match(outcome.stderr, /OCI runtime restore failed: .*criu/i)
      } finally {
        await attempt(['sh', '-c', 'mv /usr/sbin/criu.away /usr/sbin/criu'])
      }
      await attempt(['ctr', 'task', 'rm', '--force', restored])
      await attempt(['ctr', 'container', 'rm', restored])
      deepEqual(leftOf(restored), [])
    },
    { verbs: ['checkpoint'] },
  ),

  row('logs: a file, which the next container appends to', async () => {
    const options = ['--log-uri', 'file:///tmp/shared/made/log']
    for (const word of ['one', 'two']) {
      const id = await detached(`echo ${word}; echo ${word}-err >&2`, ...options)
      await removeStopped(id)
    }
    const lines = readFileSync('/tmp/shared/made/log', 'utf8').trimEnd().split('\n')
    deepEqual(lines.toSorted(), ['one', 'one-err', 'two', 'two-err'])
  }),

  row('logs: a program, with its words, the end of the output and no fifo left', async () => {
    writeFileSync(LOGGER, LOGGER_TEXT)
    chmodSync(LOGGER, 0o755)
    const id = await detached('echo out; echo err >&2; exit 3', '--log-uri', `binary://${LOGGER}?key=value`)
    equal(await removeStopped(id), 3)
    const read = (end: string): string => readFileSync(`/tmp/shared/${id}.${end}`, 'utf8')
    await eventually('the logs', async () => read('out') === 'out\n' && read('err') === 'err\n')
    equal(read('words'), 'default key value\n')
    deepEqual(
      readdirSync('/run/tsrunc-shim').filter((place) => existsSync(join('/run/tsrunc-shim', place, 'streams', id))),
      [],
    )
  }),

  row('logs: a program that is not there, or ends at once, is an error', async () => {
    writeFileSync(LOGGER, '#!/bin/sh\nexit 1\n')
    chmodSync(LOGGER, 0o755)
    for (const uri of ['binary:///no/such', `binary://${LOGGER}`]) {
      const id = name()
      const outcome = await attempt(['ctr', 'run', '--detach', ...RUNTIME, '--log-uri', uri, IMAGE, id, 'true'])
      notEqual(outcome.status, 0)
      match(outcome.stderr, uri.includes('such') ? /start \/no\/such/ : /logger has ended with 1/)
      await attempt(['ctr', 'container', 'rm', id])
      deepEqual(leftOf(id), [])
    }
  }),

  row('kill of an added process alone', async () => {
    const id = await detached('sleep 1000')
    const added = name()
    startDaemon([
      'sh',
      '-c',
      `ctr task exec --exec-id ${added} ${id} sh -c 'touch /tmp/in; exec sleep 1000'; echo $? >/tmp/shared/${added}`,
    ])
    await eventually('it runs', async () => (await exec(id, 'ls', '/tmp')) === 'in')
    await ctr('task', 'kill', '--exec-id', added, '--signal', 'SIGKILL', id)
    await eventually('its end', async () => existsSync(`/tmp/shared/${added}`))
    equal(readFileSync(`/tmp/shared/${added}`, 'utf8').trim(), '137')
    equal(await statusOf(id), 'RUNNING')
    await remove(id)
  }),

  row('start: as containerd 2.3 asks, by a message, it finds the same keeper', async () => {
    const id = await detached('sleep 1000')
    const input = bootstrap.params({
      instance_id: id,
      namespace: 'default',
      containerd_version: '2.3.0',
      containerd_ttrpc_address: `unix://${CONTAINERD}.ttrpc`,
      containerd_grpc_address: `unix://${CONTAINERD}`,
    })
    const output = execFileSync(SHIM, ['-namespace', 'default', '-id', id, 'start'], { input, cwd: '/tmp/shared' })
    const { version, address, protocol } = bootstrap.result(output)
    deepEqual([version, protocol], [3, 'ttrpc'])
    // One that was started by flags answers with the same address.
    const flags = ['-namespace', 'default', '-address', CONTAINERD, '-id', id, 'start']
    equal(execFileSync(SHIM, flags, { input: '', cwd: '/tmp/shared', encoding: 'utf8' }), address)
    equal(processes(SHIM, ' keeper').length, 1)
    await remove(id)
  }),

  row('SystemdCgroup: systemd is asked', async () => {
    const id = name()
    await ctr('container', 'create', ...RUNTIME, IMAGE, id, 'true')
    const { mounts } = await tasks.mounts({ snapshotter: 'overlayfs', key: id })
    const create = tasks.create({ container_id: id, rootfs: mounts, options: runcOptions({ systemd_cgroup: true }) })
    // There is none in this sandbox.
    await rejects(create, /systemd/)
    await ctr('container', 'rm', id)
    deepEqual(leftOf(id), [])
  }),

  row('a root file system that cannot be mounted is an error that says so, and nothing is left', async () => {
    const id = name()
    await ctr('container', 'create', ...RUNTIME, IMAGE, id, 'true')
    const { mounts } = await tasks.mounts({ snapshotter: 'overlayfs', key: id })
    const wrong = { type: 'bind', source: '/nowhere', target: '', options: ['rbind', 'ro'] }
    const create = tasks.create({ container_id: id, rootfs: [...mounts, wrong] })
    await rejects(create, /^(?!.*create failed).*mount the root file system: mount .*rootfs: no such file/is)
    deepEqual(leftOf(id), [])
    // Only then is the name free, and the container can be made.
    await tasks.create({ container_id: id, rootfs: mounts })
    await tasks.start({ container_id: id })
    await removeStopped(id)
    deepEqual(leftOf(id), [])
  }),

  // containerd unmounts what is left of a bundle: seen by a call of its own.
  row('of several mounts of a root file system none is left where one fails', async () => {
    const place = `/tmp/shared/${name()}`
    mkdirSync(place)
    const mount = (type: string, source: string, flags: string): readonly string[] => [
      '',
      type,
      source,
      place,
      flags,
      '0',
      '',
    ]
    const words = [...mount('tmpfs', 'tmpfs', '0'), ...mount('bind', '/nowhere', '4096')]
    const outcome = await attempt([SHIM, 'mounted', String(words.length), ...words, SHIM, '-v'])
    equal(outcome.status, 125)
    match(outcome.stderr, /mount the root file system: mount .*no such file/i)
    equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(place), false)
    rmdirSync(place)
  }),
]
