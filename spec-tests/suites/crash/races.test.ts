// Calls that meet: nothing is lost and nothing is left.
import { bundle, callRuntime, deepEqual, equal, launch, leftSoFar, runtime, sandbox, test } from '../../lib'

const deleteForce = async (id: string): Promise<void> => {
  const outcome = await callRuntime(['delete', '--force', id])
  equal(outcome.status, 0, outcome.stderr)
}

test('run, killed: the container is left for delete --force', { timeout: 60_000 }, async () => {
  const b = await bundle()
  b.command(['echo', 'up'], ['sleep', '60'])
  const running = b.launchRun()
  await b.line(/up/)
  await running.kill('SIGKILL')
  await running.exited
  await deleteForce(b.id)
  deepEqual(await leftSoFar(), [])
})

test('a create is interrupted by SIGTERM or SIGINT: nothing is left, or a container that can be deleted', {
  peers: { runc: 'leaves parts', crun: 'leaves parts' },
  sometimes: true,
  timeout: 60_000,
}, async () => {
  for (const [signal, wait] of [
    ['SIGTERM', 5],
    ['SIGINT', 15],
    ['SIGTERM', 30],
    ['SIGINT', 60],
  ] as const) {
    const b = await bundle()
    sandbox().containers.add(b.id)
    const running = launch([runtime().path, '--root', sandbox().marks.root, 'create', '--bundle', b.path, b.id])
    await new Promise((resolve) => setTimeout(resolve, wait))
    await running.kill(signal).catch(() => undefined)
    await running.exited
    await deleteForce(b.id)
    deepEqual(await leftSoFar(), [], `${signal} after ${wait} ms`)
  }
})

test('kill and delete at the same time: no container stays', async () => {
  for (let round = 0; round < 10; round++) {
    const b = await bundle()
    b.command(['sleep', '60'])
    await b.create()
    await Promise.all([
      b.tryCall('kill', {}, 'KILL'),
      b.tryCall('delete', { flags: ['--force'] }),
      b.tryCall('delete', { flags: ['--force'] }),
    ])
    await b.tryCall('delete', { flags: ['--force'] })
    equal((await b.tryCall('state')).status, 1)
  }
})

test('create [OP-2c]: two of one identifier at the same time: exactly one succeeds', {
  peers: { runc: 'both may', crun: 'both may' },
  sometimes: true,
}, async () => {
  for (let round = 0; round < 5; round++) {
    const b = await bundle()
    b.command(['sleep', '60'])
    const outcomes = await Promise.all([b.tryCreate(), b.tryCreate(), b.tryCreate()])
    equal(outcomes.filter((outcome) => outcome.status === 0).length, 1, JSON.stringify(outcomes))
    equal((await b.state()).status, 'created')
    await b.delete({ flags: ['--force'] })
  }
})

test('start [OP-3c]: two at the same time: exactly one succeeds', {
  peers: { runc: 'one may wait for ever', crun: 'both' },
  sometimes: true,
}, async () => {
  for (let round = 0; round < 5; round++) {
    const b = await bundle()
    b.command(['sleep', '60'])
    await b.create()
    const outcomes = await Promise.all([b.tryCall('start'), b.tryCall('start')])
    equal(outcomes.filter((outcome) => outcome.status === 0).length, 1, JSON.stringify(outcomes))
    await b.delete({ flags: ['--force'] })
  }
})
