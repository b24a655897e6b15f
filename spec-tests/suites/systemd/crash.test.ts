// SIGKILL of the runtime at each of its calls to systemd, before systemd hears it and before the runtime hears the answer:
// `delete --force` then leaves neither a unit nor a cgroup.
import {
  type Bundle,
  deepEqual,
  expectStatus,
  launchRuntime,
  leftSoFar,
  ok,
  type Running,
  requires,
  sandbox,
  test,
} from '../../lib'
import { proxiedBus } from './bus'
import { isLoaded, SYSTEMD, scopeBundle, scopeOf } from './unit'

interface Point {
  readonly word: string
  readonly from: 'runtime' | 'bus'
  /** How often it was passed before. */
  readonly passed: number
}

const unheard = (word: string, passed = 0): Point => ({ word, from: 'runtime', passed })
const unanswered = (word: string, passed = 0): Point => ({ word, from: 'bus', passed })
const nameOf = ({ word, from, passed }: Point): string =>
  `${word} number ${passed + 1}, ${from === 'runtime' ? 'before' : 'after'} systemd has it`

/** A bus on which the runtime is ended with SIGKILL when its talk with systemd comes to a point. */
const deadlyBus = () => {
  let armed: { readonly point: Point; readonly running: Running; hit: boolean; seen: number } | undefined
  const env = proxiedBus((word, from) => {
    if (armed === undefined || armed.hit || armed.point.word !== word || armed.point.from !== from) return 'pass'
    armed.seen += 1
    if (armed.seen <= armed.point.passed) return 'pass'
    armed.hit = true
    void armed.running.kill('SIGKILL')
    return 'hold'
  })
  const callKilled = async (args: readonly string[], point: Point): Promise<void> => {
    const own = { point, running: launchRuntime(args, { env }), hit: false, seen: 0 }
    armed = own
    await own.running.exited
    armed = undefined
    ok(own.hit, `it did not come to ${nameOf(point)}`)
  }
  return { env, callKilled }
}

const atEach = async (points: readonly Point[], attempt: (b: Bundle, point: Point) => Promise<void>): Promise<void> => {
  requires('root', 'systemd')
  const failures: string[] = []
  for (const point of points) {
    const b = await scopeBundle()
    b.command(['sleep', '600'])
    sandbox().containers.add(b.id)
    try {
      await attempt(b, point)
      expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
      ok(!isLoaded(scopeOf(b)), 'the unit is there')
      deepEqual(await leftSoFar(), [])
    } catch (error) {
      failures.push(`${nameOf(point)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  deepEqual(failures, [])
}

test('SIGKILL of create while it talks with systemd: delete --force leaves no unit and no cgroup', {
  only: ['tsrunc'],
}, async () => {
  const points = [
    unanswered('Hello'),
    unheard('AddMatch'),
    unheard('StartTransientUnit'),
    unanswered('StartTransientUnit'),
    unanswered('JobRemoved'),
  ]
  await atEach(points, async (b, point) => {
    const { callKilled } = deadlyBus()
    await callKilled([...SYSTEMD.global, 'create', '--bundle', b.path, b.id], point)
  })
})

test('SIGKILL of delete while it talks with systemd: delete --force leaves no unit and no cgroup', {
  only: ['tsrunc'],
}, async () => {
  // Whose unit it is, before anything is killed and after: a scope whose processes have ended goes by itself.
  const points = [unheard('Documentation'), unheard('Documentation', 1), unanswered('Documentation', 1)]
  await atEach(points, async (b, point) => {
    const { env, callKilled } = deadlyBus()
    await b.create({ ...SYSTEMD, env })
    await callKilled(['delete', '--force', b.id], point)
  })
})

test('SIGKILL of update while it talks with systemd: delete --force leaves no unit and no cgroup', {
  only: ['tsrunc'],
}, async () => {
  await atEach([unheard('SetUnitProperties'), unanswered('SetUnitProperties')], async (b, point) => {
    const { env, callKilled } = deadlyBus()
    await b.create({ ...SYSTEMD, env })
    await callKilled(['update', '--pids-limit', '20', b.id], point)
  })
})
