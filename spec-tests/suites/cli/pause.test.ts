// `pause` and `resume`: all processes stand still, and go on.
import {
  bundle,
  callRuntime,
  deepEqual,
  equal,
  eventually,
  isAlive,
  match,
  ok,
  type TestOptions,
  test,
} from '../../lib'

/** Long enough for a process that runs to show it. */
const A_WHILE = 200

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, A_WHILE))

test('pause: no process goes on, a signal waits, and resume delivers it', async () => {
  const b = await bundle()
  b.command(['signals', '1'])
  await b.create()
  await b.start()
  await b.line(/ready/)
  equal((await b.tryCall('pause')).status, 0)
  equal((await b.state()).status, 'paused')
  await b.kill('USR1')
  await later()
  ok(!/"signal":10\}/.test(b.output()), b.output())
  equal((await b.tryCall('resume')).status, 0)
  await b.line(/"signal":10\}/)
})

test('pause: of a created container, which starts after resume', {
  peers: { crun: 'calls it created' },
  sometimes: true,
}, async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  equal((await b.tryCall('pause')).status, 0)
  equal((await b.state()).status, 'paused')
  equal((await b.tryCall('resume')).status, 0)
  equal((await b.state()).status, 'created')
  await b.start()
  equal((await b.state()).status, 'running')
})

test('pause: start of a paused container is an error', { only: ['tsrunc'] }, async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.tryCall('pause')
  const { status, stderr } = await b.tryCall('start')
  equal(status, 1)
  match(stderr, /cannot start a container in the paused state/)
})

const HERE: TestOptions = { only: ['tsrunc'] }

test('pause: what cannot be paused or resumed is said', HERE, async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const refusals: (readonly [number, string])[] = []
  const call = async (verb: string): Promise<void> => {
    const { status, stderr } = await b.tryCall(verb)
    refusals.push([status, stderr.trim()])
  }
  await call('resume')
  await b.tryCall('pause')
  await call('pause')
  await b.tryCall('resume')
  await b.kill('KILL')
  await b.reaches('stopped')
  await call('pause')
  await call('resume')
  deepEqual(refusals, [
    [1, 'tsrunc resume: container not paused'],
    [1, 'tsrunc pause: container is paused already'],
    [1, 'tsrunc pause: container not running'],
    [1, 'tsrunc resume: container not paused'],
  ])
})

for (const verb of ['pause', 'resume']) {
  test(`${verb}: of a container that does not exist is an error`, async () => {
    const { status, stderr } = await callRuntime([verb, 'no-such-container'])
    equal(status, 1)
    match(stderr, /does not exist|No such file/)
  })
}

test('pause: SIGKILL ends a paused container', {
  peers: { crun: 'it waits for the thaw on v1' },
  sometimes: true,
}, async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  await b.start()
  await b.tryCall('pause')
  await b.kill('KILL')
  await eventually('the end', () => !isAlive(pid))
  await b.reaches('stopped')
})

test('pause: delete --force removes a paused container', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.start()
  await b.tryCall('pause')
  await b.delete({ flags: ['--force'] })
})
