import { expect, test } from 'vitest'
import type { Spec } from '../spec/types'
import { BASE, FACTS_V1, FACTS_V2, resolve, USER_NAMESPACE, withLinux, withProcess } from './fixtures'

const ROOM: Spec = {
  ...withProcess({ capabilities: { bounding: ['CAP_KILL'] } }),
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/a', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' },
    { destination: '/b', type: 'tmpfs', source: 'tmpfs' },
  ],
}

/** Kinds of init's operations, those of mounts with their place, in order; those of one kind in a row are one. */
const order = (spec: Spec, facts = FACTS_V1): readonly string[] =>
  resolve(spec, {}, facts)
    .plan.init.map((op) => (op.kind === 'mountFs' ? `mount ${op.destination}` : op.kind))
    .filter((name, index, all) => name !== all[index - 1])

const isBefore = (names: readonly string[], first: string, then: string): boolean => {
  expect(names).toEqual(expect.arrayContaining([first, then]))
  return names.indexOf(first) < names.indexOf(then)
}

test('v1 cgroups are entered after what would be charged to them, and before they are shown', () => {
  const names = order(ROOM)
  expect(isBefore(names, 'mount /a', 'enterCgroup')).toBe(true)
  expect(isBefore(names, 'setBoundingSet', 'enterCgroup')).toBe(true)
  expect(isBefore(names, 'enterCgroup', 'unshareCgroup')).toBe(true)
  expect(names.filter((name) => name === 'enterCgroup')).toHaveLength(1)
  expect(names.filter((name) => name === 'setBoundingSet')).toHaveLength(1)
})

test('what the image puts into a tmpfs is paid for by the container', () => {
  const mounts = [{ destination: '/a', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }]
  expect(isBefore(order({ ...ROOM, mounts }), 'enterCgroup', 'mount /a')).toBe(true)
})

test('hooks in the container run in its cgroup, and with all capabilities', () => {
  const names = order({ ...ROOM, mounts: [], hooks: { createContainer: [{ path: '/hook' }] } })
  expect(isBefore(names, 'enterCgroup', 'runHook')).toBe(true)
  expect(isBefore(names, 'runHook', 'setBoundingSet')).toBe(true)
})

test('the cgroups are made meanwhile, and are there before anything is bound or they are entered', () => {
  const bind = { destination: '/c', type: 'none', source: '/srv', options: ['rbind'] }
  for (const spec of [ROOM, { ...ROOM, mounts: [...(ROOM.mounts ?? []).slice(0, 2), bind] }]) {
    const { create, init } = resolve(spec, {}, FACTS_V1).plan
    const made = create.map((op) => (op.kind === 'releaseInit' ? `release ${op.step}` : op.kind))
    expect(isBefore(made, 'cloneInit', 'makeCgroup')).toBe(true)
    expect(made).not.toContain('release 1')
    expect(made.lastIndexOf('makeCgroup')).toBeLessThan(made.indexOf('release 7'))
    const names = init.map((op) => (op.kind === 'awaitHost' ? `await ${op.step}` : op.kind))
    expect(isBefore(names, 'mountFs', 'await 7')).toBe(true)
    expect(isBefore(names, 'await 7', spec === ROOM ? 'enterCgroup' : 'mountBind')).toBe(true)
    expect(isBefore(names, 'await 7', 'enterCgroup')).toBe(true)
  }
})

test('the cgroups are there before init where it enters them at once, and on v2', () => {
  for (const { create, init } of [resolve(USER_NAMESPACE).plan, resolve(ROOM, {}, FACTS_V2).plan]) {
    const made = create.map(({ kind }) => kind)
    expect(isBefore(made, 'makeCgroup', 'cloneInit')).toBe(true)
    expect(init.some((op) => op.kind === 'awaitHost' && op.step === 7)).toBe(false)
  }
})

test('the host side hears of the mounts when init is in its cgroup', () => {
  expect(isBefore(order(BASE), 'enterCgroup', 'reportToHost')).toBe(true)
})

test.each([
  ['in a user namespace only who comes from outside may enter', USER_NAMESPACE, FACTS_V1],
  ['without a mount namespace, mounts may cover the cgroup file system', withLinux({ namespaces: [] }), FACTS_V1],
])('%s: at once', (_why, spec, facts) => {
  expect(order(spec, facts).find((name) => name !== 'awaitHost')).toBe('enterCgroup')
})

test('on v2 init is made in its cgroup', () => {
  expect(order(ROOM, FACTS_V2)).not.toContain('enterCgroup')
  expect(isBefore(order(ROOM, FACTS_V2), 'unshareCgroup', 'mount /proc')).toBe(true)
})
