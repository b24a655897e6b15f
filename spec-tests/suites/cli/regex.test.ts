// kill --regex and delete --regex, as with crun: every container whose name matches.
import { type Bundle, bundle, callRuntime, deepEqual, equal, match, type TestOptions, test } from '../../lib'

const PEERS: TestOptions = { peers: { runc: 'has no --regex' }, sometimes: true }

const idle = async (count: number): Promise<readonly Bundle[]> => {
  const made: Bundle[] = []
  for (let i = 0; i < count; i++) {
    const b = await bundle()
    b.command(['signals', '1'])
    await b.create()
    await b.start()
    await b.line(/ready/)
    made.push(b)
  }
  return made
}

/** An expression for the whole names of these alone. */
const names = (...bundles: readonly Bundle[]): string => `^(${bundles.map(({ id }) => id).join('|')})$`

const exists = async (b: Bundle): Promise<boolean> => (await b.tryCall('state')).status === 0

test('kill --regex: the signal reaches every container whose name matches, and no other', PEERS, async () => {
  const [one, two, other] = await idle(3)
  if (one === undefined || two === undefined || other === undefined) throw new Error('three containers')
  equal((await callRuntime(['kill', '--regex', names(one, two), 'USR1'])).status, 0)
  await one.line(/"signal":10/)
  await two.line(/"signal":10/)
  await other.kill('USR2')
  await other.line(/"signal":12/)
  equal(/"signal":10/.test(other.output()), false)
})

test('delete --regex --force: removes every container whose name matches, and no other', PEERS, async () => {
  const [one, two, other] = await idle(3)
  if (one === undefined || two === undefined || other === undefined) throw new Error('three containers')
  equal((await callRuntime(['delete', '--force', '--regex', names(one, two)])).status, 0)
  deepEqual([await exists(one), await exists(two), await exists(other)], [false, false, true])
})

test('delete -r: one that still runs is refused by its name, the others are removed', {
  peers: { runc: 'has no --regex', crun: 'refuses without an error' },
  sometimes: true,
}, async () => {
  const [running, ended] = await idle(2)
  if (running === undefined || ended === undefined) throw new Error('two containers')
  await ended.kill('KILL')
  await ended.reaches('stopped')
  const { status, stderr } = await callRuntime(['delete', '-r', names(running, ended)])
  equal(status, 1)
  match(stderr, new RegExp(running.id))
  deepEqual([await exists(running), await exists(ended)], [true, false])
})

for (const args of [
  ['kill', '--regex', '^no-such-name$', 'KILL'],
  ['delete', '--regex', '^no-such-name$'],
]) {
  test(`${args[0]} --regex that matches nothing is no error`, PEERS, async () => {
    const [b] = await idle(1)
    equal((await callRuntime(args)).status, 0)
    equal((await b?.state())?.status, 'running')
  })
}

test('--regex: an expression that is none is an error which says why', {
  peers: { runc: 'has no --regex', crun: 'another status' },
  sometimes: true,
}, async () => {
  const [b] = await idle(1)
  for (const args of [
    ['kill', '--regex', '(', 'KILL'],
    ['delete', '--force', '--regex', '['],
  ]) {
    const { status, stderr } = await callRuntime(args)
    equal(status, 1)
    match(stderr, /\(|\[|regex/i)
  }
  equal((await b?.state())?.status, 'running')
})
