// SIGKILL while a container is created. The specification is silent about it; that `delete --force` cleans up afterwards is
// what this runtime promises, and others do not.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  deepEqual,
  equal,
  expectStatus,
  launch,
  leftSoFar,
  ok,
  orphanTool,
  runtime,
  sandbox,
  seccompAgent,
  startPlanner,
  type TestOptions,
  test,
} from '../../lib'
import { mappedBundle, notifyingBundle, richBundle } from './containers'
import { atEach, type Clock, callKilled, createArgs, lastExecve, recovers, remove, spread } from './killing'

const PROMISED: TestOptions = { only: ['tsrunc'], timeout: 600_000 }

/** Kills `create` at points of the clock. Where it comes to its end before, the container is there and is removed too. */
const survives = async (b: Bundle, clock: Clock, most: number): Promise<void> => {
  const { calls } = await callKilled(clock, 0, createArgs(b))
  await remove(b)
  ok(calls > 0, 'no system call was counted')
  await atEach(spread(calls, most), async (at, again) => {
    const { outcome, killed } = await callKilled(clock, at, createArgs(b))
    equal(outcome.status, killed ? 137 : 0, outcome.stderr)
    await recovers(b, again)
  })
}

test(
  'runtime.md#create [GEN-3]: killed before the configuration is read, it leaves nothing that delete --force does not remove',
  PROMISED,
  async () => {
    const b = await richBundle()
    for (let execve = 1; execve < (await lastExecve(b)); execve++) {
      await survives(b, { execve, who: 'main' }, 6)
    }
  },
)

test(
  'runtime.md#create [GEN-3]: killed at any system call, it leaves nothing that delete --force does not remove',
  PROMISED,
  async () => {
    const b = await richBundle()
    await survives(b, { execve: await lastExecve(b), who: 'main' }, 70)
  },
)

test('runtime.md#create [GEN-3]: the same with a user namespace', PROMISED, async () => {
  const b = await mappedBundle()
  await survives(b, { execve: await lastExecve(b), who: 'main' }, 35)
})

test('runtime.md#create [GEN-3]: the same with a seccomp listener', PROMISED, async () => {
  const b = await notifyingBundle(await seccompAgent())
  await survives(b, { execve: await lastExecve(b), who: 'main' }, 35)
})

test(
  'runtime.md#create [GEN-3]: killed when init has just been made, that does nothing any more',
  PROMISED,
  async () => {
    startPlanner()
    const b = await bundle((c) => {
      c.root.readonly = false
      // Made before the two sides meet, if there was nothing to be waited for.
      c.mounts.push({ destination: '/made-by-init', type: 'tmpfs', source: 'tmpfs' })
    })
    const words = ['--root', sandbox().marks.root, '--planner', 'on', ...createArgs(b)]
    sandbox().containers.add(b.id)
    expectStatus(await launch([orphanTool(), runtime().path, ...words]).exited)
    equal(existsSync(join(b.rootfs, 'made-by-init')), false)
    await recovers(b, true)
  },
)

/** Kills init at points of its own clock. */
const failsWithInit = async (b: Bundle, most: number): Promise<void> => {
  const clock: Clock = { execve: await lastExecve(b), who: 'child' }
  const { calls } = await callKilled(clock, 0, createArgs(b))
  await remove(b)
  await atEach(spread(calls, most), async (at, again) => {
    const { outcome, killed } = await callKilled(clock, at, createArgs(b))
    if (!killed) {
      await remove(b)
      return
    }
    // The last calls of init come after create has seen it ready: then there is a container, which has stopped.
    if (outcome.status === 0) {
      await b.reaches('stopped')
      await remove(b)
    } else {
      equal(outcome.status, 1, outcome.stderr)
      ok(/tsrunc create: .*(init|kill)/i.test(outcome.stderr), outcome.stderr)
    }
    deepEqual(await leftSoFar(), [])
    if (again) {
      await recovers(b, true)
    }
  })
}

test(
  'runtime.md#create [GEN-3]: when init is killed at any system call, create fails and leaves nothing by itself',
  PROMISED,
  async () => {
    await failsWithInit(await richBundle(), 60)
  },
)

test('runtime.md#create [GEN-3]: the same for an init that has a seccomp listener', PROMISED, async () => {
  await failsWithInit(await notifyingBundle(await seccompAgent()), 30)
})
