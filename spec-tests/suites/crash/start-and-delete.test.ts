// SIGKILL while a container is started, run or deleted.
import { equal, expectStatus, ok, type TestOptions, test } from '../../lib'
import { richBundle } from './containers'
import { atEach, type Clock, callKilled, lastExecve, recovers, remove, spread } from './killing'

const PROMISED: TestOptions = { only: ['tsrunc'], timeout: 600_000 }

/** `start`, `kill` and `delete` execute nothing else. */
const DIRECT: Clock = { execve: 1, who: 'main' }

test(
  'runtime.md#start [GEN-3]: killed at any system call, it leaves nothing that delete --force does not remove',
  PROMISED,
  async () => {
    const b = await richBundle()
    await b.create()
    const { calls } = await callKilled(DIRECT, 0, ['start', b.id])
    await remove(b)
    ok(calls > 0)
    await atEach(spread(calls, 30), async (at, again) => {
      await b.create()
      const { outcome, killed } = await callKilled(DIRECT, at, ['start', b.id])
      equal(outcome.status, killed ? 137 : 0, outcome.stderr)
      await recovers(b, again)
    })
  },
)

test('runtime.md#start [GEN-3]: after it was killed, the state can still be asked for', PROMISED, async () => {
  const b = await richBundle()
  await b.create()
  const { calls } = await callKilled(DIRECT, 0, ['start', b.id])
  await remove(b)
  await atEach(spread(calls, 12), async (at) => {
    await b.create()
    await callKilled(DIRECT, at, ['start', b.id])
    ok(['created', 'running', 'stopped'].includes((await b.state()).status))
    await remove(b)
  })
})

test(
  'runtime.md#delete [GEN-3]: of a running container, killed at any system call, it can be called again',
  PROMISED,
  async () => {
    const b = await richBundle()
    const running = async (): Promise<void> => {
      await b.create()
      await b.start()
    }
    await running()
    const { calls } = await callKilled(DIRECT, 0, ['delete', '--force', b.id])
    await atEach(spread(calls, 30), async (at, again) => {
      await running()
      const { outcome, killed } = await callKilled(DIRECT, at, ['delete', '--force', b.id])
      equal(outcome.status, killed ? 137 : 0, outcome.stderr)
      await recovers(b, again)
    })
  },
)

test(
  'runtime.md#delete [GEN-3]: of a stopped container, killed at any system call, it can be called again',
  PROMISED,
  async () => {
    const b = await richBundle()
    const stopped = async (): Promise<void> => {
      await b.create()
      await b.kill('KILL')
      await b.reaches('stopped')
    }
    await stopped()
    const { calls } = await callKilled(DIRECT, 0, ['delete', b.id])
    await atEach(spread(calls, 15), async (at, again) => {
      await stopped()
      const { outcome, killed } = await callKilled(DIRECT, at, ['delete', b.id])
      equal(outcome.status, killed ? 137 : 0, outcome.stderr)
      await recovers(b, again)
    })
  },
)

test(
  'runtime.md#run [GEN-3]: killed at any system call, it leaves nothing that delete --force does not remove',
  PROMISED,
  async () => {
    const b = await richBundle((c) => {
      c.process.args = ['/bin/probe', 'sleep', '0.05']
    })
    const clock: Clock = { execve: await lastExecve(b), who: 'main' }
    const args = ['run', '--bundle', b.path, b.id]
    const { calls, outcome } = await callKilled(clock, 0, args)
    expectStatus(outcome)
    await atEach(spread(calls, 30), async (at, again) => {
      const ended = await callKilled(clock, at, args)
      equal(ended.outcome.status, ended.killed ? 137 : 0, ended.outcome.stderr)
      await recovers(b, again)
    })
  },
)
