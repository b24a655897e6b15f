// `run`: status, signals, output.
import { bundle, equal, launch, match, runtime, sandbox, test } from '../../lib'

test('run: its status is that of the container', async () => {
  for (const status of [0, 1, 42, 255]) {
    const b = await bundle((c) => {
      c.process.args = ['/bin/probe', 'exit', String(status)]
    })
    equal((await b.tryRun()).status, status)
  }
})

test('run: 128 and the number of the signal that ended the container', async () => {
  const b = await bundle((c) => {
    c.process.args = ['/bin/probe', 'crash']
  })
  equal((await b.tryRun()).status, 128 + 4)
})

test('run: a container that was killed from outside', async () => {
  const b = await bundle()
  b.command(['echo', 'up'], ['sleep', '30'])
  const running = b.launchRun()
  await b.line(/up/)
  await b.kill('KILL')
  equal((await running.exited).status, 137)
})

test('run: nothing of the container is left afterwards', async () => {
  const b = await bundle()
  await b.run()
  equal((await b.tryCall('state')).status, 1)
})

test('run: signals to the runtime are passed on', async () => {
  const b = await bundle()
  b.command(['signals', '2'])
  const running = b.launchRun()
  await b.line(/ready/)
  await running.kill('SIGUSR1')
  await b.line(/"signal":10/)
  await running.kill('SIGTERM')
  equal((await running.exited).status, 0)
  match(running.stdout(), /"signal":15/)
})

test('run: a signal that comes while the program begins is passed on too', { only: ['tsrunc'] }, async () => {
  const b = await bundle((c) => {
    // Between the program's beginning and the wait for its end.
    const args = ['sh', '-c', 'kill -USR1 $PPID; sleep 0.2']
    c.hooks = { poststart: [{ path: '/bin/sh', args, env: ['PATH=/bin:/usr/bin'] }] }
  })
  b.command(['signals', '2'])
  const running = b.launchRun()
  await b.line(/"signal":10/)
  await running.kill('SIGTERM')
  equal((await running.exited).status, 0)
})

test('run: SIGTERM ends a program that does not handle it, when it is not PID 1', async () => {
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'pid')
  })
  b.command(['echo', 'up'], ['sleep', '30'])
  const running = b.launchRun()
  await b.line(/up/)
  await running.kill('SIGTERM')
  equal((await running.exited).status, 143)
})

test('run --detach: returns at once, the container goes on', async () => {
  const b = await bundle()
  b.command(['await', '/go'], ['echo', 'done'])
  await b.run({ flags: ['--detach'] })
  equal((await b.state()).status, 'running')
  b.file('go', '')
  await b.line(/done/)
})

test('run --keep: the container is still there afterwards', {
  peers: { crun: 'not in 1.8' },
}, async () => {
  const b = await bundle()
  await b.run({ flags: ['--keep'] })
  equal((await b.state()).status, 'stopped')
  await b.delete()
})

test('run: large output through a pipe arrives whole', async () => {
  const b = await bundle((_, b) => b.file('big', 'y'.repeat(65_000)))
  b.command(['read', '/big'], ['read', '/big'])
  sandbox().containers.add(b.id)
  const outcome = await launch([
    'sh',
    '-c',
    `${runtime().path} --root ${sandbox().marks.root} run --bundle ${b.path} ${b.id} | cat`,
  ]).exited
  equal(outcome.stdout.match(/y/g)?.length, 130_000)
})
