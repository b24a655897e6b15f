import { describe, expect, test } from 'vitest'
import type { HostFacts, PlanOptions } from '../../host/facts'
import { rootOfManager, rootOfUserManager } from '../../host/systemd'
import type { Resources, Spec } from '../../spec/types'
import { planCgroup } from '.'
import { NO_CGROUP } from './cgroup-plan'
import { facts, OPTIONS, specOf, V1, V2 } from './fixtures'
import { systemdBus } from './systemd-bus'
import { systemdUnit, unitObject } from './systemd-path'
import { maskOfList, mirroredProperties } from './systemd-properties'

const SYSTEM = { instance: 'system', root: '' } as const
const SYSTEMD: PlanOptions = { ...OPTIONS, cgroupManager: 'systemd' }
const PATH = 'machine.slice:libpod:abc'

function plan(resources: Resources, host: HostFacts, spec: Partial<Spec> = {}, path = PATH) {
  const warnings: string[] = []
  const planned = planCgroup({ ...specOf(resources, path), ...spec }, SYSTEMD, host, (text) => warnings.push(text))
  const [start] = planned.afterClone
  if (start?.kind !== 'startUnit') throw new Error('the first operation does not start a unit')
  const body = Buffer.from(start.body)
  return { planned, start, warnings, body, text: body.toString('latin1') }
}

const pathOf = (cgroupsPath: string, id = 'c1') => systemdUnit(specOf({}, cgroupsPath), id, 'system.slice')

describe('cgroupsPath', () => {
  const PLACES: readonly (readonly [given: string, unit: string, path: string])[] = [
    ['machine.slice:libpod:abc', 'libpod-abc.scope', '/machine.slice/libpod-abc.scope'],
    [':docker:abc', 'docker-abc.scope', '/system.slice/docker-abc.scope'],
    ['system.slice::abc', 'abc.scope', '/system.slice/abc.scope'],
    ['-.slice:p:n', 'p-n.scope', '/p-n.scope'],
    ['a-b-c.slice:p:n', 'p-n.scope', '/a.slice/a-b.slice/a-b-c.slice/p-n.scope'],
    ['::a-b.slice', 'a-b.slice', '/a.slice/a-b.slice'],
    ['a.slice::a-b.slice', 'a-b.slice', '/a.slice/a-b.slice'],
    [':cpu.x:n', 'cpu.x-n.scope', '/system.slice/_cpu.x-n.scope'],
    ['', 'tsrunc-c1.scope', '/system.slice/tsrunc-c1.scope'],
  ]
  test.each(PLACES)('%s', (given, unit, path) => {
    expect(pathOf(given)).toMatchObject({ unit, path })
  })
  test('an id that is no name of a unit is escaped', () => {
    expect(pathOf('', 'a+b').unit).toBe('tsrunc-a\\x2bb.scope')
  })
  test.each(['/a/b', 'a', 'a:b', 'a:b:c:d'])('%s is not of the form', (given) => {
    const words = `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "${given}" instead`
    expect(() => pathOf(given)).toThrow(expect.objectContaining({ code: 'CGROUP_PATH' }))
    expect(() => pathOf(given)).toThrow(words)
  })
  const INVALID = [
    'a:p:n',
    'a--b.slice:p:n',
    '-a.slice:p:n',
    'a/b.slice:p:n',
    '..slice:p:n',
    '::',
    ':p:a/b',
    'b.slice::a-c.slice',
  ]
  test.each(INVALID)('%s is refused', (given) => {
    expect(() => pathOf(given)).toThrow(expect.objectContaining({ code: 'CGROUP_PATH' }))
  })
  test('names of units in object paths', () => {
    expect(unitObject('a-1.scope')).toBe('/org/freedesktop/systemd1/unit/a_2d1_2escope')
    expect(unitObject('1.scope')).toBe('/org/freedesktop/systemd1/unit/_31_2escope')
  })
})

describe('the bus', () => {
  test('the system bus, or the manager itself', () => {
    expect(systemdBus('system', {})).toEqual({
      bus: '/run/dbus/system_bus_socket',
      peer: '/run/systemd/private',
      seconds: 30,
    })
  })
  test('that of the user', () => {
    const peer = '/run/user/7/systemd/private'
    expect(systemdBus('user', { XDG_RUNTIME_DIR: '/run/user/7' })).toMatchObject({ bus: '/run/user/7/bus', peer })
  })
  test('one that is named', () => {
    const bus = (address: string) => systemdBus('user', { DBUS_SESSION_BUS_ADDRESS: address })
    expect(bus('unix:path=/a%20b,guid=1')).toMatchObject({ bus: '/a b', peer: '' })
    expect(bus('tcp:host=x;unix:abstract=/tmp/x')).toMatchObject({ bus: '@/tmp/x', peer: '' })
  })
  test.each(['tcp:host=x', 'unix:path=relative', 'unix:', 'x', `unix:path=/${'a'.repeat(108)}`])('%s', (address) => {
    expect(() => systemdBus('system', { DBUS_SYSTEM_BUS_ADDRESS: address })).toThrow(
      expect.objectContaining({ code: 'BUS_ADDRESS' }),
    )
  })
  test('a user without one', () => {
    expect(() => systemdBus('user', {})).toThrow(expect.objectContaining({ code: 'BUS_ADDRESS' }))
  })
  test.each([
    ['', 30],
    ['5', 5],
    ['5s', 5],
    ['1500ms', 2],
    ['2min', 120],
    ['0', 1],
  ])('SYSTEMD_BUS_TIMEOUT=%s', (value, seconds) => {
    expect(systemdBus('system', { SYSTEMD_BUS_TIMEOUT: value }).seconds).toBe(seconds)
  })
})

test('where the managers are', () => {
  expect(rootOfManager('/init.scope')).toBe('')
  expect(rootOfManager('/docker/x/init.scope')).toBe('/docker/x')
  const own = '/user.slice/user-7.slice/user@7.service'
  expect(rootOfUserManager(`${own}/app.slice/a.scope`, 0)).toBe(own)
  expect(rootOfUserManager('/user.slice/user-7.slice/session-1.scope', 0)).toBe(own)
  expect(rootOfUserManager('/system.slice/x.service', 7)).toBe(own)
})

describe('what limits are as properties', () => {
  const mirrored = (version: 1 | 2, ...writes: readonly (readonly [file: string, value: string])[]) =>
    mirroredProperties(
      writes.map(([file, value]) => ({ controller: '', file, value, pointer: '', what: '' })),
      version,
    ).map(({ name, value }) => [name, 'value' in value ? value.value : 'items' in value ? value.items.length : ''])
  const NEVER = (1n << 64n) - 1n

  test('v2', () => {
    expect(mirrored(2, ['memory.max', 'max'], ['memory.low', '5'], ['pids.max', '0'])).toEqual([
      ['MemoryMax', NEVER],
      ['MemoryLow', 5n],
      ['TasksMax', 1n],
    ])
    expect(mirrored(2, ['cpu.max', '12345 100000'])).toEqual([
      ['CPUQuotaPerSecUSec', 130000n],
      ['CPUQuotaPeriodUSec', 100000n],
    ])
    expect(mirrored(2, ['cpu.weight', '50'], ['cpu.idle', '1'])).toEqual([['CPUWeight', 0n]])
    expect(mirrored(2, ['memory.max', '5'], ['memory.max', '6'])).toEqual([['MemoryMax', 6n]])
  })
  test('v1', () => {
    expect(mirrored(1, ['cpu.cfs_period_us', '50000'], ['cpu.cfs_quota_us', '-1'], ['cpu.shares', '512'])).toEqual([
      ['CPUShares', 512n],
      ['CPUQuotaPerSecUSec', NEVER],
      ['CPUQuotaPeriodUSec', 50000n],
    ])
  })
  test('what systemd has no property for, or would not take, is for the files', () => {
    expect(mirrored(2, ['hugetlb.2MB.max', '5'], ['memory.max', '1G'], ['cpu.max', 'x'], ['cpuset.cpus', 'x'])).toEqual(
      [],
    )
  })
  test('lists of processors', () => {
    expect(maskOfList('0-2,9')).toEqual([7, 2])
    expect(maskOfList('3-1')).toBeUndefined()
    expect(maskOfList('')).toBeUndefined()
  })
})

describe('v2', () => {
  const host = facts(V2, { systemd: SYSTEM })

  test('the unit gets init, then files say the rest', () => {
    const { planned, start } = plan({ memory: { limit: 4096 } }, host)
    const directory = '/sys/fs/cgroup/machine.slice/libpod-abc.scope'
    expect(planned).toMatchObject({ before: [], intoCgroup: '', directory, paths: [directory] })
    expect(start).toMatchObject({ unit: 'libpod-abc.scope', path: '/machine.slice/libpod-abc.scope', hierarchy: '' })
    expect(planned.afterClone.map(({ kind }) => kind)).toContain('setCgroupLimit')
    expect(planned.destroy.map(({ kind }) => kind)).toEqual(['checkUnit', 'killCgroups', 'stopUnit'])
  })
  test('a process that is not there yet is zero', () => {
    const { start, body } = plan({}, host)
    expect(body.readUInt32LE(start.pidOffset)).toBe(0)
    expect(body.readUInt32LE(start.pidOffset - 4)).toBe(4)
  })
  test('what an old systemd does not know is left out of a second call', () => {
    expect(plan({ memory: { limit: 4096 } }, host).start.reduced).toHaveLength(0)
    const { start, text } = plan({ cpu: { cpus: '0' } }, host)
    const reduced = Buffer.from(start.reduced)
    expect(text).toContain('AllowedCPUs')
    expect(reduced.toString('latin1')).not.toContain('AllowedCPUs')
    expect(reduced.readUInt32LE(start.reducedPidOffset - 4)).toBe(4)
  })
  test('annotations', () => {
    const annotations = { 'org.systemd.property.TimeoutStopSec': '3', 'org.systemd.property.KillSignal': '15' }
    const { text, body } = plan({}, host, { annotations })
    expect(text).toContain('KillSignal')
    const at = body.indexOf('TimeoutStopUSec\0')
    expect(body.readBigUInt64LE(Math.ceil((at + 16 + 3) / 8) * 8)).toBe(3000000n)
  })
  test.each([
    ['org.systemd.property.Ab', '1'],
    ['org.systemd.property.A_B', '1'],
    ['org.systemd.property.KillSignal', 'fifteen'],
    ['org.systemd.property.TimeoutStopSec', "'a'"],
    ['org.systemd.property.TimeoutStopSec', '-1'],
  ])('annotation %s=%s is refused', (name, value) => {
    expect(() => plan({}, host, { annotations: { [name]: value } })).toThrow(
      expect.objectContaining({ code: 'ANNOTATION', pointer: `/annotations/${name}` }),
    )
  })
  test('a slice gets no process from systemd', () => {
    const { planned, start, text } = plan({}, host, {}, '::a-b.slice')
    expect(start).toMatchObject({ pidOffset: 0, unit: 'a-b.slice' })
    expect(text).not.toContain('PIDs')
    expect(planned.afterClone[1]).toMatchObject({ kind: 'joinCgroup', path: '/sys/fs/cgroup/a.slice/a-b.slice' })
  })
  test('beneath the manager of a user', () => {
    const root = '/user.slice/user-7.slice/user@7.service'
    const user = facts(V2, { euid: 7, systemd: { instance: 'user', root } })
    const options = { ...SYSTEMD, environment: { XDG_RUNTIME_DIR: '/run/user/7' } }
    const planned = planCgroup({ ...specOf({}), linux: {} }, options, user, () => {})
    expect(planned.directory).toBe(`/sys/fs/cgroup${root}/user.slice/tsrunc-c1.scope`)
  })
})

describe('v1', () => {
  const host = facts(V1, { systemd: SYSTEM })

  test('systemd has some hierarchies; the others are made, and entered, by files', () => {
    const { planned, start } = plan({ devices: [{ allow: false, access: 'rwm' }] }, host)
    expect(start.hierarchy).toBe('name=systemd')
    const made = planned.afterClone.filter(({ kind }) => kind === 'makeCgroup')
    expect(made).toHaveLength(11)
    expect(made.every((op) => op.kind === 'makeCgroup' && !op.mustBeEmpty)).toBe(true)
    expect(planned.enter).toHaveLength(11)
  })
  test('devices are kept by systemd', () => {
    const { text, warnings } = plan({ devices: [{ allow: false, access: 'rwm' }] }, host)
    for (const word of ['DevicePolicy', 'strict', '/dev/char/1:3', 'char-136', 'block-*']) expect(text).toContain(word)
    expect(warnings).toEqual([])
  })
  test('what it cannot keep is said', () => {
    const allowed = { allow: true, access: 'rwm' } as const
    const { warnings, text } = plan(
      { devices: [allowed, { ...allowed, allow: false, type: 'c', major: 10, minor: 229 }] },
      host,
    )
    expect(warnings).toEqual([expect.stringContaining('deny device c 10:229 rw (config')])
    expect(text).not.toContain('DevicePolicy')
  })
  test('there is no systemd of a user', () => {
    const user = facts(V1, { euid: 7, systemd: { instance: 'user', root: '' } })
    expect(() => plan({}, user)).toThrow(expect.objectContaining({ code: 'CGROUP_UNAVAILABLE' }))
  })
})

describe('disabled', () => {
  const disabled = (resources: Resources, warnings: string[] = []) =>
    planCgroup(specOf(resources), { ...OPTIONS, cgroupManager: 'disabled' }, facts(V2), (text) => warnings.push(text))

  test('there is no cgroup', () => {
    const warnings: string[] = []
    expect(disabled({ devices: [{ allow: false, access: 'rwm' }] }, warnings)).toBe(NO_CGROUP)
    expect(warnings).toHaveLength(1)
  })
  test('a limit is refused', () => {
    expect(() => disabled({ pids: { limit: 5 } })).toThrow(
      expect.objectContaining({ code: 'CGROUP_UNAVAILABLE', pointer: '/linux/resources/pids/limit' }),
    )
  })
})

describe('cgroups beneath the unit', () => {
  const host = facts(V2, { systemd: SYSTEM })
  const scope = '/sys/fs/cgroup/machine.slice/libpod-abc.scope'
  const SUBGROUP = 'run.oci.systemd.subgroup'
  const DELEGATED = 'run.oci.delegate-cgroup'

  test('init leaves the unit before controllers are enabled beneath it', () => {
    const { planned, start } = plan({ pids: { limit: 5 } }, host, { annotations: { [SUBGROUP]: 'a' } })
    expect(start).toMatchObject({ path: '/machine.slice/libpod-abc.scope', directories: [scope] })
    expect(planned.paths).toEqual([`${scope}/a`])
    const kinds = planned.afterClone.map(({ kind }) => kind)
    expect(kinds.slice(0, 4)).toEqual(['startUnit', 'makeCgroup', 'joinCgroup', 'enableControllers'])
    expect(planned.destroy).toContainEqual(expect.objectContaining({ kind: 'killCgroups', paths: [scope] }))
  })
  test('the delegated one is beneath that', () => {
    const { planned } = plan({}, host, { annotations: { [SUBGROUP]: 'a', [DELEGATED]: '/b/c' } })
    expect(planned.delegated).toBe(`${scope}/a/b/c`)
    expect(planned.afterNamespaces.map(({ kind }) => kind)).toEqual(['makeCgroup', 'joinCgroup', 'enableControllers'])
  })
  test.each(['../a', 'a/../b', '.', 'a//b', 'a\nb'])('%j leads elsewhere', (value) => {
    expect(() => plan({}, host, { annotations: { [SUBGROUP]: value } })).toThrow(
      expect.objectContaining({ code: 'ANNOTATION', pointer: `/annotations/${SUBGROUP}` }),
    )
  })
  test('v1 has none', () => {
    const v1 = facts(V1, { systemd: SYSTEM })
    expect(plan({}, v1, { annotations: { [SUBGROUP]: 'a' } }).warnings).toEqual([expect.stringContaining('cgroup v2')])
    expect(() => plan({}, v1, { annotations: { [DELEGATED]: 'a' } })).toThrow(
      expect.objectContaining({ code: 'CGROUP_UNAVAILABLE', pointer: `/annotations/${DELEGATED}` }),
    )
  })
})
