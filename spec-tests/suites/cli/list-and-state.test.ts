// `list` and `state`: what engines read.
import { bundle, callRuntime, deepEqual, equal, match, notEqual, ok, type State, test } from '../../lib'

test('list: a table with a header, one line for each container', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { stdout } = await callRuntime(['list'])
  const lines = stdout.trimEnd().split('\n')
  equal(lines.length, 2)
  match(lines[0] ?? '', /^(ID|NAME)\s+PID\s+STATUS\s+BUNDLE( PATH)?\s+CREATED\s+OWNER/)
  const [id, pid, status, path, , owner] = (lines[1] ?? '').split(/\s+/)
  const state = await b.state()
  deepEqual([id, pid, status, path, owner], [b.id, String(state.pid), 'created', b.path, 'root'])
})

test('list: an empty table', async () => {
  const { stdout, status } = await callRuntime(['list'])
  equal(status, 0)
  equal(stdout.trimEnd().split('\n').length, 1)
})

test('list --quiet: identifiers only', async () => {
  const b = await bundle()
  await b.create()
  equal((await callRuntime(['list', '--quiet'])).stdout, `${b.id}\n`)
  equal((await callRuntime(['list', '-q'])).stdout, `${b.id}\n`)
})

test('list --format json', async () => {
  const b = await bundle((c) => {
    c.annotations = { a: 'b' }
  })
  await b.create()
  const { stdout } = await callRuntime(['list', '--format', 'json'])
  const [entry] = JSON.parse(stdout) as (State & { owner: string; created: string; rootfs?: string })[]
  const state = await b.state()
  deepEqual(
    [entry?.id, entry?.pid, entry?.status, entry?.bundle, entry?.owner],
    [b.id, state.pid, 'created', b.path, 'root'],
  )
  ok(!Number.isNaN(Date.parse(entry?.created ?? '')))
})

test('list --format json: null when there is nothing, as runc prints', { peers: { crun: 'prints []' } }, async () => {
  equal((await callRuntime(['list', '--format', 'json'])).stdout.trim(), 'null')
})

test('list: a format that does not exist is refused', async () => {
  notEqual((await callRuntime(['list', '--format', 'xml'])).status, 0)
})

test('list: a container that ended is stopped, with pid 0', async () => {
  const b = await bundle()
  b.command(['echo', 'x'])
  await b.create()
  await b.start()
  await b.reaches('stopped')
  match((await callRuntime(['list'])).stdout, new RegExp(`${b.id}\\s+0\\s+stopped`))
})

// state

test('state [OP-1a OP-1c]: the properties that engines read', {
  peers: { crun: 'rootfs as it is written in config.json' },
}, async () => {
  const b = await bundle((c) => {
    c.annotations = { key: 'value' }
  })
  await b.create()
  const state = (await b.state()) as State & Record<string, unknown>
  for (const key of ['ociVersion', 'id', 'pid', 'status', 'bundle', 'rootfs', 'created', 'owner', 'annotations']) {
    ok(key in state, key)
  }
  equal(state['rootfs'], b.rootfs)
  const created = Date.parse(String(state['created']))
  ok(Math.abs(Date.now() - created) < 60_000, String(state['created']))
  match(String(state['created']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
})
