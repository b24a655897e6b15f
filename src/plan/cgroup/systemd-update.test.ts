import { describe, expect, test } from 'vitest'
import type { CgroupFacts } from '../../host/facts'
import type { Resources } from '../../spec/types'
import { facts, V1, V2 } from './fixtures'
import { planUpdate } from './update'

const UNIT = { bus: '/bus', peer: '', seconds: 3, unit: 'a.scope', object: '/o', mark: 'file:/m' }

function told(resources: Resources, cgroup: CgroupFacts, current: Readonly<Record<string, string>>) {
  const paths =
    cgroup.version === 1 ? cgroup.hierarchies.map(({ mountPoint }) => `${mountPoint}/u`) : ['/sys/fs/cgroup/u']
  const warnings: string[] = []
  const target = { paths, current, unit: UNIT }
  const ops = planUpdate(resources, target, 'plain', facts(cgroup), (text) => warnings.push(text))
  const op = ops.at(-1)
  if (op?.kind !== 'setUnitProperties') return undefined
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
  return { op, body: text(op.body), reduced: text(op.reduced), undo: text(op.undo), warnings }
}

describe('update of a unit', () => {
  test('it is told last, and what it may have changed besides is looked at', () => {
    const current = { 'memory.max': 'max', 'memory.low': '5', 'memory.oom.group': '1', 'pids.max': '7' }
    const found = told({ memory: { limit: 4096 } }, V2, current)
    expect(found?.op).toMatchObject({ ...UNIT, what: 'set MemoryMax of unit a.scope of systemd' })
    expect(found?.op.files).toEqual(['max', 'low', 'oom.group'].map((name) => `/sys/fs/cgroup/u/memory.${name}`))
    expect(found?.undo).toContain('MemoryMax')
    expect(found?.op.undo).toHaveLength(found?.op.body.length ?? -1)
  })
  test('an old systemd is asked without what it does not know', () => {
    const current = { 'cpu.weight': '100', 'cpuset.cpus': '' }
    const found = told({ cpu: { shares: 512, cpus: '0' } }, V2, current)
    expect(found?.body).toContain('AllowedCPUs')
    expect(found?.reduced).not.toContain('AllowedCPUs')
    expect(found?.undo).toContain('AllowedCPUs')
  })
  test('the end of idle is the end of its weight', () => {
    expect(told({ cpu: { idle: 0 } }, V2, { 'cpu.idle': '1' })?.body).toContain('CPUWeight')
  })
  test('what systemd has no property for is not told', () => {
    expect(told({ rdma: { a: { hcaHandles: 1 } } }, V2, {})).toBeUndefined()
  })
  test('v1: the list of devices is a new one', () => {
    const found = told({ devices: [{ allow: false, access: 'rwm' }] }, V1, {})
    expect(found?.op.what).toBe('set DeviceAllow, DevicePolicy of unit a.scope of systemd')
    expect(found?.body).toContain('strict')
    expect(found?.op.frozen).toEqual(['/sys/fs/cgroup/freezer/u'])
    const all = told({ devices: [{ allow: true, access: 'rwm' }] }, V1, {})
    expect(all?.body).toContain('auto')
    expect(all?.body).not.toContain('strict')
  })
  test('v1: quota and period are one property', () => {
    const current = { 'cpu.cfs_quota_us': '-1', 'cpu.cfs_period_us': '100000' }
    const found = told({ cpu: { quota: 5000 } }, V1, current)
    expect(found?.op.what).toContain('CPUQuotaPerSecUSec')
    expect(found?.op.files).toContain('/sys/fs/cgroup/cpu,cpuacct/u/cpu.cfs_quota_us')
    expect(found?.undo).toContain('CPUQuotaPerSecUSec')
  })
})
