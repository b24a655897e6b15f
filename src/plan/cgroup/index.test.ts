import { describe, expect, test } from 'vitest'
import type { Resources } from '../../spec/types'
import { planCgroup } from '.'
import { NO_CGROUP } from './cgroup-plan'
import { facts, NONE, OPTIONS, planned, V1, V2 } from './fixtures'

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

describe.each([
  ['v1', V1],
  ['v2', V2],
])('an unprivileged caller on %s', (_, cgroup) => {
  const host = facts(cgroup, { euid: 1000 })

  test('gets no cgroup; the list of devices is of no use to it', () => {
    expect(planned(DENY_ALL, host).plan).toEqual(NO_CGROUP)
  })

  test('is refused a limit', () => {
    expect(() => planned({ memory: { limit: 4096 } }, host)).toThrow(
      expect.objectContaining({ code: 'CGROUP_UNAVAILABLE', pointer: '/linux/resources/memory/limit' }),
    )
  })
})
