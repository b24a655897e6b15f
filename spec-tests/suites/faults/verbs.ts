// The verbs as they are tried: what is there before, the call, and what must be so afterwards.
import { type Bundle, deepEqual, equal, eventually, fail, leftSoFar, match, ok, sandbox, undenied } from '../../lib'
import { leftNow } from '../../lib/leftovers'
import { richBundle } from '../crash/containers'
import { fingerprint, hookNames, limitLines } from './fingerprint'
import type { Supervised } from './supervised'

export interface Verb {
  readonly name: string
  /** Makes what the call needs, or leaves what is still as it should be. */
  readonly prepare: (b: Bundle) => Promise<void>
  readonly args: (b: Bundle) => string[]
  /** The process of the container that makes calls as well. */
  readonly init?: (b: Bundle) => Promise<number>
  /** What a call that succeeded has done, in lines that are always the same. */
  readonly effect: (b: Bundle, ended: Supervised) => Promise<string[]>
  /** What must be so after a call that failed; the container may be there or not. */
  readonly failed: (b: Bundle, ended: Supervised) => Promise<void>
  /** Takes away what a case has made. */
  readonly clean: (b: Bundle) => Promise<void>
}

const WARM = ['--planner', 'on']

/** @param said what delete may say: a container that a dead call left is incomplete */
const removed = async (b: Bundle, said = /^(tsrunc delete: warning: .*there is no plan.*\n)?$/): Promise<void> => {
  const outcome = await b.tryCall('delete', { flags: ['--force'] })
  equal(outcome.status, 0, `delete --force: ${outcome.stderr}`)
  match(undenied(outcome.stderr), said)
  deepEqual(await leftSoFar(), [], 'left after delete --force')
  hookNames(b)
}

const nothingIsLeft = async (): Promise<void> => deepEqual(await leftSoFar(), [], 'left by a call that failed')

const idle = (b: Bundle): void => b.command(['pause'])

/** What the probe has printed, in pieces; namespaces and processes have other numbers each time. */
const answered = (output: string): string[] => output.replaceAll(/\[\d+\]/g, '[]').split(/[,{}]/)

const create: Verb = {
  name: 'create',
  prepare: async (b) => idle(b),
  args: (b) => [...WARM, 'create', '--bundle', b.path, b.id],
  effect: async (b) => {
    const { status, pid } = await b.state()
    return [`status ${status}`, ...fingerprint(b, pid)]
  },
  failed: nothingIsLeft,
  clean: (b) => removed(b),
}

const start: Verb = {
  name: 'start',
  prepare: async (b) => {
    idle(b)
    await b.create({ global: WARM })
  },
  args: (b) => ['start', b.id],
  init: async (b) => (await b.state()).pid,
  effect: async (b) => {
    const { status, pid } = await b.state()
    return [`status ${status}`, ...fingerprint(b, pid)]
  },
  failed: async (b) => {
    // runtime.md "Start": the container is as it was, or has ended.
    const { status, stdout } = await b.tryCall('state')
    ok(status !== 0 || /"(created|running|stopped)"/.test(stdout), stdout)
  },
  clean: (b) => removed(b),
}

const run: Verb = {
  name: 'run',
  prepare: async (b) => b.command(['report'], ['read', '/proc/sys/net/core/somaxconn'], ['read', '/proc/self/limits']),
  args: (b) => [...WARM, 'run', '--bundle', b.path, b.id],
  effect: async (b, { outcome }) => [...answered(outcome.stdout), ...hookNames(b)],
  failed: nothingIsLeft,
  clean: (b) => removed(b),
}

/** One container serves many cases, as long as nothing happens to it. */
const isIdle = async (b: Bundle): Promise<boolean> => {
  const { status, stdout } = await b.tryCall('state')
  return status === 0 && (JSON.parse(stdout) as { status: string }).status === 'running'
}

const runs = async (b: Bundle): Promise<void> => {
  if (!(await isIdle(b))) {
    idle(b)
    await b.create({ global: WARM })
    await b.start()
    hookNames(b)
  }
}

/** Everything of the test that is there, but for what changes by itself. */
const things = (): string[] =>
  leftNow(sandbox().before, sandbox().marks).filter((thing) => !thing.startsWith('keyring'))
const before = new Map<string, string[]>()

const unharmed = async (b: Bundle): Promise<void> => {
  ok(await isIdle(b), 'the container has suffered')
  const known = before.get(b.id) ?? []
  const more = (): string[] => things().filter((thing) => !known.includes(thing))
  await eventually('the end of what exec has made', () => more().length === 0).catch(() =>
    fail(`left by exec: ${more().join('; ')}`),
  )
}

const exec: Verb = {
  name: 'exec',
  prepare: async (b) => {
    await runs(b)
    before.set(b.id, things())
  },
  args: (b) => ['exec', b.id, '/bin/probe', 'report', ',', 'read', '/proc/self/limits', ',', 'read', '/proc/1/cgroup'],
  effect: async (b, { outcome }) => {
    await unharmed(b)
    return answered(outcome.stdout)
  },
  failed: unharmed,
  clean: async () => undefined,
}

const kill: Verb = {
  name: 'kill',
  prepare: async (b) => {
    idle(b)
    await b.create({ global: WARM })
  },
  args: (b) => ['kill', b.id, 'KILL'],
  effect: async (b) => {
    const { status } = await b.reaches('stopped')
    return [status]
  },
  failed: async (b) => {
    await b.kill('KILL')
    await b.reaches('stopped')
  },
  clean: (b) => removed(b),
}

const deletion: Verb = {
  name: 'delete',
  prepare: async (b) => {
    await runs(b)
  },
  args: (b) => ['delete', '--force', b.id],
  effect: async (b) => {
    deepEqual(await leftSoFar(), [], 'left by delete')
    return hookNames(b)
  },
  failed: async () => undefined,
  clean: (b) => removed(b),
}

const LIMITS = ['--memory', '134217728', '--pids-limit', '20', '--cpu-share', '300']
const OLD_LIMITS = ['--memory', '268435456', '--pids-limit', '64', '--cpu-share', '512']

const update: Verb = {
  name: 'update',
  prepare: async (b) => {
    await runs(b)
    before.set(b.id, limitLines(b))
  },
  args: (b) => [...WARM, 'update', ...LIMITS, b.id],
  effect: async (b) => {
    const now = limitLines(b)
    equal((await b.tryCall('update', { flags: OLD_LIMITS })).status, 0)
    return now
  },
  failed: async (b) => {
    deepEqual(limitLines(b), before.get(b.id), 'the limits are not as they were')
    ok(await isIdle(b), 'the container has suffered')
  },
  clean: async () => undefined,
}

export const VERBS: readonly Verb[] = [create, start, run, exec, kill, deletion, update]

/** The container of the cases of a verb. */
export const subject = (): Promise<Bundle> => richBundle()

export { removed }
