// The life of a container with nearly everything, beneath a filter that denies one system call: each verb does all of its work, or the
// one that cannot says so and nothing is left. denied-calls.test.ts has the words of single verbs, spec-tests/denied the whole suite.
//
// Seen to fail with a close_range(2) and a mount_setattr(2) whose failures are ignored.
import {
  type Bundle,
  deepEqual,
  deny,
  equal,
  expectStatus,
  leftSoFar,
  match,
  type Outcome,
  requires,
  sandbox,
  startPlanner,
  test,
} from '../../lib'
import { richBundle } from '../crash/containers'
import { fingerprint, hookNames } from '../faults/fingerprint'

const ERRORS = ['ENOSYS', 'EPERM'] as const
type Verb = 'create' | 'start' | 'exec' | 'kill' | 'delete'

/** The verb that cannot do without the call, the first one in a container's life; or none. */
const DENIED: Readonly<Record<string, Verb | 'none'>> = {
  clone3: 'create',
  close_range: 'create',
  fsconfig: 'create',
  fsmount: 'create',
  fsopen: 'create',
  landlock_create_ruleset: 'none',
  mount_setattr: 'create',
  move_mount: 'create',
  open_tree: 'create',
  openat2: 'create',
  pidfd_open: 'start',
  pidfd_send_signal: 'kill',
  statx: 'none',
}

/** Nobody calls it: from inside, the filter itself can be seen. */
const INNOCENT = 'pidfd_getfd'

interface Life {
  readonly refusedBy: Verb | 'none'
  readonly words: string
  /** What is seen of the container, from outside and inside. */
  readonly seen: readonly string[]
}

const PROBE = ['/bin/probe', 'report', ',', 'read', '/proc/self/limits', ',', 'read', '/proc/1/cgroup']

/** Namespaces and processes have other numbers each time. */
const answered = (output: string): string[] => output.replaceAll(/\[\d+\]/g, '[]').split(/[,{}]/)

const live = async (b: Bundle, errno: string, call: string): Promise<Life> => {
  const within = [deny(), errno, call]
  const seen: string[] = []
  const verbs: readonly (readonly [Verb, () => Promise<Outcome>, ((outcome: Outcome) => Promise<string[]>)?])[] = [
    ['create', () => b.tryCreate({ global: ['--planner', 'on'], within })],
    ['start', () => b.tryCall('start', { within }), async () => fingerprint(b, (await b.state()).pid)],
    ['exec', () => b.tryExec({ within }, ...PROBE), async ({ stdout }) => answered(stdout)],
    ['kill', () => b.tryCall('kill', { within }, 'KILL'), async () => [(await b.reaches('stopped')).status]],
    ['delete', () => b.tryCall('delete', { within }), async () => hookNames(b)],
  ]
  for (const [verb, act, look] of verbs) {
    const outcome = await act()
    if (outcome.status !== 0) {
      equal(outcome.status, verb === 'exec' ? 255 : 1, outcome.stderr)
      equal(outcome.stdout, '')
      return { refusedBy: verb, words: outcome.stderr, seen }
    }
    seen.push(...((await look?.(outcome)) ?? []))
  }
  return { refusedBy: 'none', words: '', seen }
}

const judge = async (b: Bundle, usual: ReadonlySet<string>, errno: string, call: string): Promise<void> => {
  const { refusedBy, words, seen } = await live(b, errno, call)
  equal(refusedBy, DENIED[call], words)
  if (refusedBy === 'none') {
    const [now, before] = [new Set(seen), [...usual]]
    deepEqual(
      before.filter((line) => !now.has(line)),
      [],
      'what the container lacks',
    )
  } else {
    match(words, new RegExp(`^tsrunc ${refusedBy}: .*\\b${call}\\b.*\\(${errno}\\)`, 'm'))
  }
  if (refusedBy !== 'create' && refusedBy !== 'none') {
    expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
  }
  deepEqual(await leftSoFar(), [])
  hookNames(b)
}

test('beneath a filter that denies a system call a container is what it always is, or the call is named and nothing is left', {
  only: ['tsrunc'],
  timeout: 120_000,
}, async () => {
  requires('root')
  startPlanner()
  const b = await richBundle()
  sandbox().containers.add(b.id)
  const [one, two] = [await live(b, 'EPERM', INNOCENT), await live(b, 'EPERM', INNOCENT)]
  const usual = new Set(one.seen.filter((line) => two.seen.includes(line)))
  const wrong: string[] = []
  for (const call of Object.keys(DENIED)) {
    for (const errno of ERRORS) {
      await judge(b, usual, errno, call).catch(async (error: unknown) => {
        wrong.push(`${call} ${errno}: ${error instanceof Error ? error.message : String(error)}`)
        await b.tryCall('delete', { flags: ['--force'] })
      })
    }
  }
  deepEqual(wrong, [])
})
