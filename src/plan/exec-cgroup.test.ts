import { describe, expect, test } from 'vitest'
import { execCgroup, isCgroupV2, namesController } from './exec-cgroup'
import { BASE, FACTS_V1, FACTS_V2, resolve, withLinux } from './fixtures'
import type { PlanHeader } from './plan'

const V1 = resolve(withLinux({ cgroupsPath: '/c' }), {}, FACTS_V1).plan.header
const V2 = resolve(withLinux({ cgroupsPath: '/c' }), {}, FACTS_V2).plan.header
const NONE: PlanHeader = { ...resolve(BASE).plan.header, cgroupPaths: [], frozenFile: '' }

const on1 = (...values: readonly string[]) => execCgroup(V1, values, FACTS_V1.cgroup)
const on2 = (...values: readonly string[]) => execCgroup(V2, values, FACTS_V2.cgroup)

describe('--cgroup on v2', () => {
  test('without it the process is cloned into the cgroup of the container, or where its first one has gone', () => {
    expect(isCgroupV2(V2)).toBe(true)
    expect(on2()).toEqual({ into: '/sys/fs/cgroup/c', orInitsOwn: true, enter: [] })
  })

  test.each([
    ['sub', '/sys/fs/cgroup/c/sub'],
    ['/sub/', '/sys/fs/cgroup/c/sub'],
    ['a/../b', '/sys/fs/cgroup/c/b'],
    ['/', '/sys/fs/cgroup/c'],
  ])('%s is beneath it', (value, into) => {
    expect(on2(value)).toEqual({ into, orInitsOwn: false, enter: [] })
  })

  test('what leads out of it, names a controller or is a second one is refused', () => {
    expect(() => on2('..')).toThrow(/^--cgroup: "\.\." leads out/)
    expect(() => on2('../c2')).toThrow(/leads out/)
    expect(() => on2('a/../../c2')).toThrow(/leads out/)
    expect(() => on2('memory:a')).toThrow(/names a controller/)
    expect(() => on2('a', 'b')).toThrow(/"b" is a second one/)
  })
})

describe('--cgroup on v1', () => {
  test('without it the process enters every cgroup of the container', () => {
    expect(isCgroupV2(V1)).toBe(false)
    expect(on1()).toEqual({ into: '', orInitsOwn: false, enter: V1.cgroupPaths })
  })

  test('a path is one in every hierarchy, with controllers in theirs alone', () => {
    expect(on1('sub').enter).toEqual(V1.cgroupPaths.map((path) => `${path}/sub`))
    const some = on1('memory,pids:sub').enter
    expect(some).toContain('/sys/fs/cgroup/memory/c/sub')
    expect(some).toContain('/sys/fs/cgroup/pids/c/sub')
    expect(some).toContain('/sys/fs/cgroup/freezer/c')
    expect(some).toHaveLength(V1.cgroupPaths.length)
  })

  test('an unknown controller and a path that leads out are refused', () => {
    expect(() => on1('flying:a')).toThrow(/names "flying", which is no controller/)
    expect(() => on1('memory:../x')).toThrow(/leads out/)
  })
})

test('a container without a cgroup has none to choose', () => {
  for (const values of [[], ['/']]) expect(execCgroup(NONE, values, FACTS_V2.cgroup).enter).toEqual([])
  expect(() => execCgroup(NONE, ['a'], FACTS_V2.cgroup)).toThrow(/the container has no cgroup/)
})

test('the hierarchies are asked for where a controller is named only', () => {
  expect([namesController([]), namesController(['a']), namesController(['a', 'cpu:b'])]).toEqual([false, false, true])
})
