// --log, --log-format, --debug.
import { readFileSync, writeFileSync } from 'node:fs'
import { bundle, callRuntime, doesNotMatch, equal, match, notEqual, ok, runtime, scratch, test } from '../../lib'

test('--log-format json: the last line is the error, whole', async () => {
  const b = await bundle((c) =>
    c.mounts.push({ destination: '/m', type: 'bind', source: '/no/such', options: ['bind'] }),
  )
  const log = scratch('log.json')
  const outcome = await b.tryCreate({ global: ['--log', log, '--log-format', 'json'] })
  equal(outcome.status, 1)
  const last = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? ''
  const entry = JSON.parse(last) as { level?: string; msg: string; time: string }
  match(entry.msg, /\/no\/such/)
  ok(!Number.isNaN(Date.parse(entry.time)))
  if (runtime().name !== 'crun') {
    equal(entry.level, 'error')
  }
  match(outcome.stderr, /\/no\/such/)
})

test('--log: appends to the file', async () => {
  const log = scratch('log')
  writeFileSync(log, 'before\n')
  await callRuntime(['--log', log, 'state', 'no-such-container'])
  const text = readFileSync(log, 'utf8')
  match(text, /^before\n/)
  match(text, /no-such-container|does not exist|No such/)
})

test('without --log the error is on standard error, nothing on standard output', async () => {
  const outcome = await callRuntime(['state', 'no-such-container'])
  equal(outcome.stdout, '')
  notEqual(outcome.stderr, '')
})

test('--debug says more', async () => {
  const b = await bundle()
  const log = scratch('log')
  const outcome = await b.tryRun({ global: ['--debug', '--log', log] })
  equal(outcome.status, 0)
})

test('without --debug a success prints nothing but what the container prints', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  const created = await b.create()
  const started = await b.start()
  const state = await b.tryCall('kill', {}, 'KILL')
  for (const outcome of [created, started, state]) {
    doesNotMatch(outcome.stderr, /./)
  }
})
