import { expect, test, vi } from 'vitest'
import { resolve } from '../plan/fixtures'
import { GOLDEN_CASES } from '../plan/golden-cases'
import { ACTION, encodePlan } from '../plan/wire'
import { turned } from './free-words'
import { installation } from './installation'
import { encodeReply, encodeRequest, type Reply, type Request } from './protocol'
import { placesOf, Repeats } from './repeats'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const places = (reply: string, other: string, ...words: readonly string[]) =>
  placesOf(
    bytes(reply),
    bytes(other),
    words.map((given) => ({ given, other: turned(given) })),
  )

test('a word is where the plans differ, not where it stands by chance', () => {
  expect(places('a:/a b a', 'b:/a b b', 'a')).toEqual([[0, 7]])
  expect(places('xx', 'yy', 'x')).toEqual([[0, 1]])
})

test("an ID within a path is the path's", () => {
  expect(places('id1 /run/id1/pid', 'je2 /svo/je2/qje', 'id1', '/run/id1/pid')).toEqual([[0], [4]])
})

test('plans that differ in anything else are not repeated', () => {
  expect(places('a 1', 'b 2', 'a')).toBeUndefined()
  expect(places('a 1', 'b 12', 'a')).toBeUndefined()
  expect(places('a Y', 'b Z', 'a')).toBeUndefined()
})

const LAUNCH = {
  action: ACTION.run,
  detach: false,
  keep: false,
  subreaper: true,
  log: '',
  logJson: false,
  debug: false,
}
const made = Object.entries(GOLDEN_CASES).filter(([, { exec }]) => exec === undefined)

test.each(made)('plans depend on the ID in nothing but its text: %s', (_name, { spec, options, facts }) => {
  const planOf = (id: string): Buffer => Buffer.from(encodePlan(resolve(spec, { ...options, id }, facts).plan, LAUNCH))
  for (const id of ['c', 'web-1', 'A_z09', '0123456789abcdef'.repeat(4)]) {
    expect(placesOf(planOf(id), planOf(turned(id)), [{ given: id, other: turned(id) }])).toBeDefined()
  }
})

test.each(made)('and on paths that the caller gives in the same way: %s', (_name, { spec, options, facts }) => {
  const planOf = (pidFile: string, pidfdSocket: string): Buffer =>
    Buffer.from(encodePlan(resolve(spec, { ...options, pidFile, pidfdSocket }, facts).plan, LAUNCH))
  const words = ['/run/c/a.pid', '/run/socket'].map((given) => ({ given, other: turned(given) }))
  const [one = '', two = ''] = words.map(({ given }) => given)
  expect(placesOf(planOf(one, two), planOf(turned(one), turned(two)), words)).toBeDefined()
})

const ROOTFS = ['d/b/rootfs', '/b/rootfs'] as const

const message = (
  argv: readonly string[],
  record = 'tsrunc-handoff 1\npid 7\n',
  config = '{}',
  answers: readonly string[] = ROOTFS,
): Buffer =>
  encodeRequest(installation(), {
    ...{ argv, cwd: '/', environment: ['A=1'], record, bundle: '/b', config: bytes(config) },
    answers,
  })

const WORDS = [{ index: 1, kind: 'id' }] as const
const REPEATABLE = { words: WORDS, looks: new Map([['cgroup', '0::/']]) }
const replyOf = (text: string, looks = REPEATABLE.looks): Reply => ({
  ...{ kind: 'plan', stderr: '', logFile: '', log: '', plan: bytes(text) },
  repeats: { ...REPEATABLE, looks },
})
const plan = vi.fn(async ({ argv }: Request) => replyOf(`plan of ${argv[1]}`))
const consider = (repeats: Repeats, sent: Buffer, text: string, planned = plan) =>
  repeats.consider(sent, REPEATABLE, encodeReply(replyOf(text)), planned)

test('the second request of its kind is kept', async () => {
  const repeats = new Repeats()
  expect(await consider(repeats, message(['run', 'a']), 'plan of a')).toBeUndefined()
  const kept = await consider(repeats, message(['run', 'bb'], 'tsrunc-handoff 1\npid 8\nfd 3 1\n'), 'plan of bb')
  expect(kept?.words).toEqual([{ index: 1, kind: 'id', places: [40 + 8] }])
  expect(kept?.looks).toEqual([['cgroup', '0::/']])
})

test.each([[message(['create', 'a'])], [message(['run', 'a', 'b'])], [message(['run', 'a'], undefined, '{"a":1}')]])(
  'a request that differs in anything else is another one',
  async (other) => {
    const repeats = new Repeats()
    await consider(repeats, message(['run', 'a']), 'plan of a')
    expect(await consider(repeats, other, 'plan of a')).toBeUndefined()
  },
)

const entering = (...identities: readonly string[]): Buffer =>
  message(['run', 'a'], undefined, undefined, [...ROOTFS, ...identities.flatMap((text, i) => [`n/ns/${i}`, text])])

test('a request that enters another namespace is the same', async () => {
  const repeats = new Repeats()
  await consider(repeats, entering('4:17', ''), 'plan of a')
  expect(await consider(repeats, entering('4:99', ''), 'plan of a')).toBeDefined()
})

test.each([
  ['one that is not to be seen', entering('', '')],
  ['one more that is to be seen', entering('4:17', '4:18')],
  ['one more', entering('4:17', '', '4:18')],
  ['another root', message(['run', 'a'], undefined, undefined, ['d/b/rootfs', '/c', 'n/ns/0', '4:17', 'n/ns/1', ''])],
])('but not one that enters %s', async (_what, other) => {
  const repeats = new Repeats()
  await consider(repeats, entering('4:17', ''), 'plan of a')
  expect(await consider(repeats, other, 'plan of a')).toBeUndefined()
})

test('a plan that has the identity of a namespace is not repeated', async () => {
  const repeats = new Repeats()
  const telling = async ({ argv, answers }: Request) => replyOf(`plan of ${argv[1]}${answers.get('n/ns/0')}`)
  await consider(repeats, entering('4:17'), 'plan of a4:17')
  expect(await consider(repeats, entering('4:17'), 'plan of a4:17', vi.fn(telling))).toBeUndefined()
})

test('what cannot be repeated is tried once, what a caller did not wait for again', async () => {
  const repeats = new Repeats()
  const sent = message(['run', 'a'])
  const cold = vi.fn(async (): Promise<Reply> => ({ kind: 'cold' }))
  const moved = vi.fn(async () => replyOf('plan 98', new Map([['cgroup', '0::/else']])))
  const lengths = vi.fn(async ({ argv }: Request) => replyOf(`plan ${argv[1]?.charCodeAt(0)}`))
  await consider(repeats, sent, 'plan 97')
  expect(await consider(repeats, sent, 'plan 97', cold)).toBeUndefined()
  expect(await consider(repeats, sent, 'plan 97', moved)).toBeUndefined()
  expect(await consider(repeats, sent, 'plan 97', lengths)).toBeUndefined()
  expect(await consider(repeats, sent, 'plan 97', lengths)).toBeUndefined()
  expect([cold, moved, lengths].map((fn) => fn.mock.calls.length)).toEqual([1, 1, 1])
})
