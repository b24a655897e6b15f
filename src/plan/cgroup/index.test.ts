import { describe, expect, test } from 'vitest'
import type { CgroupFacts } from '../../host/facts'
import type { Resources } from '../../spec/types'
import { planCgroup } from '.'
import { NO_CGROUP } from './cgroup-plan'
import { facts, NONE, OPTIONS, planned, specOf, V1, V2 } from './fixtures'

const DENY_ALL: Resources = { devices: [{ allow: false, access: 'rwm' }] }

test('without cgroupsPath the id is the path, and no line of config.json asked for it', () => {
  const { before } = planCgroup({ ociVersion: '1.3.0' }, OPTIONS, facts(V2), () => {})
  expect(before[0]).toMatchObject({ kind: 'makeCgroup', pointer: '', path: '/sys/fs/cgroup/c1' })
})

describe('a host without cgroups', () => {
  test('is no matter without limits', () => {
    expect(planned({ memory: { limit: -1 }, pids: { limit: -1 } }, facts(NONE)).plan).toEqual(NO_CGROUP)
    expect(planned({ devices: [{ allow: true, access: 'rwm' }] }, facts(NONE)).plan).toEqual(NO_CGROUP)
  })

  test('is an error which names the first limit', () => {
    expect(() => planned({ pids: { limit: 3 } }, facts(NONE))).toThrow(
      expect.objectContaining({
        code: 'CGROUP_UNAVAILABLE',
        pointer: '/linux/resources/pids/limit',
        message: 'limit processes to 3: this host has no cgroups mounted (config.json /linux/resources/pids/limit)',
      }),
    )
    expect(() => planned(DENY_ALL, facts(NONE))).toThrow(
      expect.objectContaining({ code: 'CGROUP_UNAVAILABLE', pointer: '/linux/resources/devices/0' }),
    )
  })
})

const USER = { euid: 1000 }
const CANNOT: CgroupFacts[] = [
  { ...V2, delegated: [] },
  { ...V1, hierarchies: V1.hierarchies.map((one) => ({ ...one, refused: true })) },
]

describe.each(CANNOT)('an unprivileged caller who may make no cgroup of v$version', (cgroup) => {
  const host = facts(cgroup, USER)

  test('gets none, and hears of the path that was asked for', () => {
    const { plan, warnings } = planned(DENY_ALL, host)
    expect(plan).toEqual(NO_CGROUP)
    expect(warnings).toEqual([expect.stringMatching(/no cgroup of its own: user 1000 may not .*\/linux\/cgroupsPath/)])
    expect(planned({}, host, '').warnings).toEqual([])
  })

  test('is refused a limit', () => {
    expect(() => planned({ memory: { limit: 4096 } }, host)).toThrow(
      expect.objectContaining({ code: 'CGROUP_UNAVAILABLE', pointer: '/linux/resources/memory/limit' }),
    )
  })

  test('is refused with --rootless=false', () => {
    const options = { ...OPTIONS, rootless: 'false' } as const
    expect(() => planCgroup(specOf({}), options, host, () => {})).toThrow(
      expect.objectContaining({ code: 'CGROUP_UNAVAILABLE', pointer: '/linux/cgroupsPath' }),
    )
  })
})

describe('a caller to whom cgroups of v2 were delegated', () => {
  const controllers = ['memory', 'pids']
  const delegated = ['/user/app/own', '/user/app', '/user'].map((path) => ({ path, controllers }))
  const host = facts({ ...V2, own: '/user/app/own', delegated }, USER)
  const makes = (cgroupsPath: string, changed = host) => planned({}, changed, cgroupsPath).plan.before[0]

  test('gets them beside its own, where no process is in the way', () => {
    const made = { root: '/sys/fs/cgroup/user', path: '/sys/fs/cgroup/user/app/c1' }
    expect(makes('')).toMatchObject(made)
    expect(makes('sub/c1')).toMatchObject({ ...made, path: '/sys/fs/cgroup/user/app/sub/c1' })
  })

  test('gets them in its own where nothing above is delegated', () => {
    const alone = facts({ ...V2, own: '/user/app/own', delegated: delegated.slice(0, 1) }, USER)
    expect(makes('', alone)).toMatchObject({ path: '/sys/fs/cgroup/user/app/own/c1' })
  })

  test('gets an absolute path where it is, and none outside', () => {
    expect(makes('/user/x')).toMatchObject({ path: '/sys/fs/cgroup/user/x' })
    for (const outside of ['/user', '/users/x', '/x']) {
      const { plan, warnings } = planned({}, host, outside)
      expect(plan).toEqual(NO_CGROUP)
      expect(warnings[0]).toMatch(/only beneath "\/user"/)
    }
  })

  test('is told how to get a controller that is not delegated', () => {
    expect(() => planned({ cpu: { shares: 512 } }, host, '')).toThrow(
      expect.objectContaining({
        code: 'CGROUP_CONTROLLER_MISSING',
        pointer: '/linux/resources/cpu/shares',
        message: expect.stringMatching(
          /cpu controller is not delegated to user 1000 \(it has memory, pids\).*Delegate=cpu/,
        ),
      }),
    )
    expect(planned({ memory: { limit: 4096 } }, host, '').plan.before[1]).toMatchObject({
      kind: 'enableControllers',
      root: '/sys/fs/cgroup/user',
      controllers: ['memory'],
    })
  })
})

test('root of a user namespace uses the hierarchies of v1 that it may write to', () => {
  const hierarchies = V1.hierarchies.map((one) => ({ ...one, refused: !one.controllers.includes('pids') }))
  const host = facts({ ...V1, hierarchies }, { inUserNamespace: true })
  expect(planned({}, host).plan.paths).toEqual(['/sys/fs/cgroup/pids/t/c1'])
  expect(() => planned({ memory: { limit: 4096 } }, host)).toThrow(
    expect.objectContaining({ code: 'CGROUP_CONTROLLER_MISSING' }),
  )
})
