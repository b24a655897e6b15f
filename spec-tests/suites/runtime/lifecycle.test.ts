// runtime.md: state, lifecycle and operations.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bundle,
  callRuntime,
  deepEqual,
  equal,
  match,
  notEqual,
  ok,
  scratch,
  type TestOptions,
  test,
  uniqueName,
} from '../../lib'

test('runtime.md#state [OP-1a OP-1c ANN-1a]: the state has its REQUIRED properties', async () => {
  const b = await bundle((c) => {
    c.annotations = { 'org.example.one': '1', two: '' }
  })
  b.command(['sleep', '30'])
  await b.create()
  const state = await b.state()
  equal(state.id, b.id)
  equal(state.status, 'created')
  equal(state.bundle, b.path)
  match(state.ociVersion, /^1\.\d+\.\d+/)
  ok(Number.isInteger(state.pid) && state.pid > 1)
  deepEqual(state.annotations, { 'org.example.one': '1', two: '' })
})

test('runtime.md#state [OP-1a]: pid is that of the container process as seen by the host', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.start()
  const { pid } = await b.state()
  match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /sleep/)
  match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^NSpid:\s+\d+\s+1$/m)
})

test('runtime.md#state [OP-1b]: status goes from created to running to stopped', async () => {
  const b = await bundle()
  b.command(['sleep', '60'])
  await b.create()
  const created = await b.state()
  await b.start()
  const running = await b.state()
  await b.kill('KILL')
  const stopped = await b.reaches('stopped')
  deepEqual([created.status, running.status, stopped.status], ['created', 'running', 'stopped'])
  equal(created.pid, running.pid)
  equal(stopped.pid ?? 0, 0)
})

test('runtime.md#state [OP-1a]: bundle is absolute although it was given relative', async () => {
  const b = await bundle()
  const outcome = await callRuntime(['create', '--bundle', b.id, b.id], { cwd: join(b.path, '..') })
  equal(outcome.status, 0, outcome.stderr)
  equal((await b.state()).bundle, b.path)
  await b.delete({ flags: ['--force'] })
})

test('runtime.md#state [OP-1a]: the bundle is the current directory by default', async () => {
  const b = await bundle()
  const outcome = await callRuntime(['create', b.id], { cwd: b.path })
  equal(outcome.status, 0, outcome.stderr)
  equal((await b.state()).bundle, b.path)
  await b.delete({ flags: ['--force'] })
})

test('runtime.md#query-state [OP-1d]: an error if it is not provided the ID of a container', async () => {
  notEqual((await callRuntime(['state'])).status, 0)
})

test('runtime.md#query-state [OP-1d]: querying a container that does not exist MUST generate an error', async () => {
  const outcome = await callRuntime(['state', 'no-such-container'])
  equal(outcome.status, 1)
  match(outcome.stderr, /does not exist|no such/i)
})

test('runtime.md#create [OP-2a OP-3a]: the program is not run', async () => {
  const b = await bundle((c) => {
    c.root.readonly = false
  })
  b.command(['mkdir', '/ran'], ['sleep', '30'])
  await b.create()
  equal(existsSync(join(b.rootfs, 'ran')), false)
  await b.start()
  await b.line(/errno":0/)
  equal(existsSync(join(b.rootfs, 'ran')), true)
})

test('runtime.md#create [OP-2b]: an error if it is not provided an ID', async () => {
  const b = await bundle()
  notEqual((await callRuntime(['create', '--bundle', b.path])).status, 0)
})

test('runtime.md#create [OP-2b]: an error if it is not provided a bundle, which the current directory is not either', async () => {
  const directory = scratch('empty')
  mkdirSync(directory)
  for (const flags of [[], ['--bundle', ''], ['--bundle', directory], ['--bundle', '/no/such/bundle']]) {
    const outcome = await callRuntime(['create', ...flags, uniqueName()], { cwd: directory })
    notEqual(outcome.status, 0, flags.join(' '))
    match(outcome.stderr, /config\.json|bundle|No such file/)
  }
})

test('runtime.md#create [OP-2c]: if the ID is not unique the runtime MUST generate an error and a new container MUST NOT be created', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const before = await b.state()
  const again = await callRuntime(['create', '--bundle', b.path, b.id])
  equal(again.status, 1)
  match(again.stderr, /exist/i)
  deepEqual(await b.state(), before)
})

for (const id of ['', '.', '..', 'a/b', '../up', 'sp ace', 'a\nb', 'ü', '$(id)']) {
  const peers: TestOptions['peers'] = /^[./a-z]*$/.test(id) ? {} : { crun: 'takes it' }
  test(`runtime.md#create [OP-2c]: the ID ${JSON.stringify(id)} is refused`, { peers }, async () => {
    const b = await bundle()
    const outcome = await callRuntime(['create', '--bundle', b.path, id])
    equal(outcome.status, 1, outcome.stdout)
  })
}

test('runtime.md#create [OP-2c]: an ID with every character that runtimes take, of a thousand', async () => {
  const id = `${uniqueName()}_A+B.c-9`
  const b = await bundle()
  const outcome = await callRuntime(['run', '--bundle', b.path, id])
  equal(outcome.status, 0, outcome.stderr)
})

test('runtime.md#create [GEN-9]: any changes to config.json after create MUST NOT have an effect on the container', async () => {
  const b = await bundle((c) => {
    c.process.env = ['PATH=/bin', 'WHEN=before', 'HOME=/']
  })
  await b.create()
  writeFileSync(join(b.path, 'config.json'), '{}')
  await b.start()
  await b.reaches('stopped')
  match(b.output(), /WHEN=before/)
})

test('runtime.md#create [OP-2a]: the root file system and the directory of the bundle may be left by the caller', async () => {
  const b = await bundle()
  await b.create({ cwd: '/' })
  await b.start({ cwd: '/tmp' })
  await b.reaches('stopped')
  match(b.output(), /"pid":1/)
})

test('runtime.md#start [OP-3b]: an error if it is not provided an ID', async () => {
  notEqual((await callRuntime(['start'])).status, 0)
})

test('runtime.md#start [OP-3b]: an error for a container that does not exist', async () => {
  const outcome = await callRuntime(['start', 'no-such-container'])
  equal(outcome.status, 1)
  match(outcome.stderr, /does not exist|no such/i)
})

test('runtime.md#start [OP-3c]: starting a container that is running MUST have no effect and MUST generate an error', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.start()
  const before = await b.state()
  equal((await b.tryCall('start')).status, 1)
  deepEqual(await b.state(), before)
})

test('runtime.md#start [OP-3c]: starting a container that is stopped MUST generate an error', async () => {
  const b = await bundle()
  b.command(['echo', 'x'])
  await b.create()
  await b.start()
  await b.reaches('stopped')
  equal((await b.tryCall('start')).status, 1)
  equal((await b.state()).status, 'stopped')
})

test('runtime.md#start [PRC-0]: an error if process was not set', {
  peers: { runc: 'fails at create', crun: 'fails at create' },
}, async () => {
  const b = await bundle((c) => {
    Object.assign(c, { process: undefined })
  })
  await b.create()
  equal((await b.tryCall('start')).status, 1)
})

test('runtime.md#kill [OP-4b]: an error if it is not provided an ID', async () => {
  notEqual((await callRuntime(['kill'])).status, 0)
})

test('runtime.md#kill [OP-4c]: a signal to a container that is neither created nor running MUST generate an error and have no effect', async () => {
  const b = await bundle()
  b.command(['echo', 'x'])
  await b.create()
  await b.start()
  await b.reaches('stopped')
  equal((await b.tryCall('kill', {}, 'KILL')).status, 1)
  equal((await b.state()).status, 'stopped')
})

test('runtime.md#kill [OP-4b]: an error for a container that does not exist', async () => {
  equal((await callRuntime(['kill', 'no-such-container', 'KILL'])).status, 1)
})

test('runtime.md#kill [OP-4a]: the signal is sent to the container process', async () => {
  const b = await bundle()
  b.command(['signals', '2'])
  await b.create()
  await b.start()
  await b.line(/ready/)
  await b.kill('USR1')
  await b.line(/"signal":10/)
  await b.kill('HUP')
  await b.reaches('stopped')
  match(b.output(), /"signal":1\}/)
})

test('runtime.md#kill [OP-4a]: a container that is created can be killed', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.kill('KILL')
  await b.reaches('stopped')
})

test('runtime.md#delete [OP-5c]: an error if it is not provided an ID', async () => {
  notEqual((await callRuntime(['delete'])).status, 0)
})

test('runtime.md#delete [OP-5c]: deleting a container that does not exist MUST generate an error', async () => {
  equal((await callRuntime(['delete', 'no-such-container'])).status, 1)
})

test('runtime.md#delete [OP-5d]: deleting a container that is running MUST have no effect and MUST generate an error', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.start()
  const before = await b.state()
  equal((await b.tryCall('delete')).status, 1)
  deepEqual(await b.state(), before)
})

test('runtime.md#delete [OP-5a]: a container that is stopped is deleted, its ID may be used again', async () => {
  const b = await bundle()
  b.command(['echo', 'x'])
  for (let round = 0; round < 2; round++) {
    await b.create()
    await b.start()
    await b.reaches('stopped')
    await b.delete()
    equal((await b.tryCall('state')).status, 1)
  }
})

test('runtime.md#delete [OP-5e]: a container that is created is deleted too, as every runtime does', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.delete()
  equal((await b.tryCall('state')).status, 1)
})

test('runtime.md#delete [OP-5b]: what create did not make stays', async () => {
  const b = await bundle((_, b) => b.file('kept', 'x'))
  b.command(['echo', 'x'])
  await b.run({ flags: ['--pid-file', scratch('pid')] })
  ok(existsSync(join(b.rootfs, 'kept')) && existsSync(join(b.path, 'config.json')))
})

test('a process that outlives PID 1 of a container without a PID namespace does not keep it from being stopped', async () => {
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'pid')
  })
  b.command(['daemon'], ['echo', 'x'])
  await b.create()
  await b.start()
  await b.reaches('stopped')
  equal((await b.tryCall('delete', { flags: ['--force'] })).status, 0)
})

test('runtime.md#create [OP-2d GEN-3]: a create that failed leaves the ID free', async () => {
  const b = await bundle((c) => c.mounts.push({ destination: '/m', type: 'nosuchfs', source: 'x' }))
  await b.refused()
  b.config.mounts.pop()
  await b.report()
})

test('two containers of one bundle', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const second = b.twin()
  await second.create()
  notEqual((await second.state()).pid, (await b.state()).pid)
  await second.delete({ flags: ['--force'] })
})
