// `kill` and `delete`: signals by every name, force.
import { bundle, callRuntime, equal, eventually, isAlive, type TestOptions, test } from '../../lib'

for (const [word, number] of [
  ['USR1', 10],
  ['SIGUSR2', 12],
  ['15', 15],
  ['usr1', 10],
  ['sigterm', 15],
  ['RTMIN', 34],
  ['64', 64],
] as const) {
  const peers: TestOptions['peers'] =
    word === 'RTMIN'
      ? { runc: 'not in 1.1' }
      : word === word.toLowerCase() && /^[a-z]/.test(word)
        ? { crun: 'names in capitals' }
        : {}
  test(`kill [OP-4d]: the form ${word}`, { peers }, async () => {
    const b = await bundle()
    b.command(['signals', '1'])
    await b.create()
    await b.start()
    await b.line(/ready/)
    await b.kill(word)
    await b.line(new RegExp(`"signal":${number}\\}`))
  })
}

test('kill [OP-4d]: SIGTERM when no signal is named', async () => {
  const b = await bundle()
  b.command(['signals', '1'])
  await b.create()
  await b.start()
  await b.line(/ready/)
  equal((await b.tryCall('kill')).status, 0)
  await b.line(/"signal":15/)
})

test('kill [OP-4d]: an unknown signal is an error without effect', {
  peers: { crun: 'takes what atoi makes of it' },
}, async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  for (const word of ['SIGNONSENSE', '65', '-1', '1x']) {
    equal((await b.tryCall('kill', {}, word)).status, 1, word)
  }
  equal((await b.state()).status, 'created')
})

test('kill: signal 0 asks only', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.kill('0')
  equal((await b.state()).status, 'created')
})

for (const state of ['created', 'running'] as const) {
  test(`kill KILL: a container that is ${state}, without a PID namespace of its own`, async () => {
    const b = await bundle((c) => {
      c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'pid')
    })
    b.command(['sleep', '30'])
    await b.create()
    if (state === 'running') {
      await b.start()
    }
    await b.kill('KILL')
    await b.reaches('stopped')
  })
}

test('kill --all [OP-4d]: every process of the container', async () => {
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'pid')
  })
  b.command(['daemon'], ['sleep', '30'])
  await b.create()
  await b.start()
  const child = Number(/"child":(\d+)/.exec(await b.line(/"child":\d+/))?.[1])
  equal((await b.tryCall('kill', { flags: ['--all'] }, 'KILL')).status, 0)
  await b.reaches('stopped')
  await eventually('the end of the child', () => !isAlive(child))
})

// delete

test('delete --force [OP-5e]: a container that does not exist is no error', async () => {
  equal((await callRuntime(['delete', '--force', 'no-such-container'])).status, 0)
})

test('delete --force [OP-5e]: ends a container that is running', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.start()
  const { pid } = await b.state()
  await b.delete({ flags: ['--force'] })
  equal(isAlive(pid), false)
})

test('delete -f [OP-5e]: a container that ignores every signal', async () => {
  const b = await bundle()
  b.command(['signals', '100'])
  await b.create()
  await b.start()
  await b.line(/ready/)
  await b.delete({ flags: ['-f'] })
})

test('delete --force [OP-5e]: leaves no process of a container without a PID namespace', async () => {
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'pid')
  })
  b.command(['daemon'], ['sleep', '30'])
  await b.create()
  await b.start()
  const child = Number(/"child":(\d+)/.exec(await b.line(/"child":\d+/))?.[1])
  await b.delete({ flags: ['--force'] })
  equal(isAlive(child), false)
})
