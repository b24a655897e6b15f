import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import type { HostFacts, PlanOptions } from '../../host/facts'
import type { Spec } from '../../spec/types'
import { BASE, FACTS_V1, FACTS_V2, OPTIONS, withLinux, withProcess } from '../fixtures'
import type { Op, OpKind } from '../ops'
import { type RestoreOptions, resolveRestore } from './restore'

/** criu_opts, as far as the tests look at it. */
const options = protobuf
  .parse(
    `syntax = "proto2";
    message Pair { optional string key = 1; optional int32 fd = 2; }
    message Texts { optional string first = 1; optional string second = 2; }
    message Options {
      optional string log = 10; optional string root = 13; repeated Texts cgroups = 25; optional bool sibling = 26;
      repeated Pair inherited = 27; optional int32 mode = 34; repeated string external = 37; optional uint32 empty = 38;
      repeated Texts joined = 39; optional string config = 51; optional bool close = 52; optional string lsm = 53;
    }`,
    { keepCase: true },
  )
  .root.lookupType('Options')

const CRIU: RestoreOptions = {
  criu: '/usr/sbin/criu',
  environment: ['PATH=/bin'],
  imagePath: '/images',
  workPath: '/work',
  tcpEstablished: false,
  extUnixSk: false,
  shellJob: false,
  fileLocks: false,
  cgroupMode: 'soft',
  networkLock: 'skip',
  emptyNetwork: false,
  autoDedup: false,
  lazyPages: false,
  configFile: '',
  tcpClose: false,
  lsmProfile: '',
  lsmMountContext: '',
  descriptors: [],
  outside: { streams: [], mounts: [] },
}

interface Given {
  readonly spec?: Spec
  readonly facts?: HostFacts
  readonly criu?: Partial<RestoreOptions>
  readonly options?: Partial<PlanOptions>
}

const plan = ({ spec = BASE, facts = FACTS_V2, criu, options: more }: Given = {}) =>
  resolveRestore(spec, { ...OPTIONS, ...more }, facts, { ...CRIU, ...criu }).plan

const kinds = (given: Given): readonly OpKind[] => plan(given).create.map(({ kind }) => kind)

function only<K extends OpKind>(given: Given, kind: K): Extract<Op, { kind: K }> {
  const found = plan(given).create.filter((op): op is Extract<Op, { kind: K }> => op.kind === kind)
  const [op] = found
  if (op === undefined || found.length > 1) throw new Error(`${found.length} of ${kind}`)
  return op
}

const asked = (given: Given): Record<string, unknown> =>
  options.toObject(options.decode(only(given, 'requestCriu').options), { arrays: true })

test('CRIU takes the place of init in the cgroups, and the state is saved before the processes go on', () => {
  for (const facts of [FACTS_V1, FACTS_V2]) {
    const order = kinds({ facts, options: { pidFile: '/pid' } })
    const at = (kind: OpKind): number => order.indexOf(kind)
    expect(at('makeCgroup')).toBeGreaterThanOrEqual(0)
    expect(at('startCriu')).toBeGreaterThan(order.lastIndexOf('makeCgroup'))
    expect(at('joinCgroup')).toBeGreaterThan(at('startCriu'))
    expect(at('requestCriu')).toBeGreaterThan(order.lastIndexOf('joinCgroup'))
    expect(order.slice(-4)).toEqual(['awaitCriu', 'writePidFile', 'saveRestored', 'awaitCriu'])
    expect(order).not.toContain('cloneInit')
  }
  expect(plan().start).toEqual([])
})

test('hooks of the namespaces run while they are there and the processes are not, those of the program not at all', () => {
  const hook = [{ path: '/hook' }]
  const hooks = {
    prestart: hook,
    createRuntime: hook,
    createContainer: hook,
    startContainer: hook,
    poststart: hook,
    poststop: hook,
  }
  const { create, init, start, delete: end } = plan({ spec: { ...BASE, hooks } })
  const steps = create.flatMap((op) => (op.kind === 'awaitCriu' ? [op.script] : op.kind === 'runHook' ? [op.name] : []))
  expect(steps).toEqual(['setup-namespaces', 'prestart', 'createRuntime', 'post-restore', ''])
  expect([init, start]).toEqual([[], []])
  expect(end.filter(({ kind }) => kind === 'runHook')).toHaveLength(1)
})

test('mounts from outside lead to where config.json has them now', () => {
  const mounts = [
    { destination: '/data', type: 'bind', source: 'data', options: ['rbind', 'ro'] },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' },
  ]
  const spec = withLinux({ maskedPaths: ['/proc/kcore'], cgroupsPath: '/c' })
  const v2 = asked({ spec: { ...spec, mounts } }).external
  expect(v2).toContain('mnt[/data]:/bundle/data')
  expect(v2).toContain('mnt[/proc/kcore]:/dev/null')
  expect(v2).toContain('mnt[/sys/fs/cgroup]:/sys/fs/cgroup/c')
  expect(v2).not.toContainEqual(expect.stringMatching(/^mnt\[\/tmp\]/))
  const v1 = asked({ spec: { ...spec, mounts }, facts: FACTS_V1 }).external
  expect(v1).toContain('mnt[/sys/fs/cgroup/memory]:/sys/fs/cgroup/memory/c')
})

test('the directories of cgroups are those that the container has now', () => {
  const spec = withLinux({ cgroupsPath: '/now' })
  expect(asked({ spec }).cgroups).toEqual([{ second: '/now' }])
  expect(asked({ spec, facts: FACTS_V1 }).cgroups).toContainEqual({ first: 'cpu,cpuacct', second: '/now' })
})

test('pipes and files from outside become the streams of the caller, namespaces of others those of config.json', () => {
  const spec = withLinux({
    namespaces: [{ type: 'mount' }, { type: 'network', path: '/net' }, { type: 'ipc', path: '/ipc' }],
  })
  const criu = {
    descriptors: ['/dev/null', 'pipe:[5]', '/dev/pts/0'],
    outside: { streams: ['file[a:b]', '', ''], mounts: [] },
  }
  const facts = { ...FACTS_V2, namespaces: { ...FACTS_V2.namespaces } }
  const { inheritFds, inheritPaths } = only({ spec, criu, facts }, 'startCriu')
  expect([inheritFds, inheritPaths]).toEqual([
    [0, 1, 0],
    ['', '', '/net'],
  ])
  const { inherited, joined } = asked({ spec, criu, facts })
  expect(inherited).toEqual([
    { key: 'file[a:b]', fd: 4 },
    { key: 'pipe:[5]', fd: 5 },
    { key: 'extRootNetNS', fd: 6 },
  ])
  expect(joined).toEqual([{ first: 'ipc', second: '/ipc' }])
})

test('flags are handed on', () => {
  expect(asked({})).toMatchObject({ log: 'restore.log', root: '/bundle/rootfs', sibling: true, mode: 3 })
  const criu = {
    emptyNetwork: true,
    configFile: '/c.conf',
    tcpClose: true,
    lsmProfile: 'apparmor:x',
    cgroupMode: 'ignore',
  } as const
  expect(asked({ criu })).toMatchObject({
    empty: 0x40000000,
    config: '/c.conf',
    close: true,
    lsm: 'apparmor:x',
    mode: 0,
  })
  expect(only({ criu: { lazyPages: true } }, 'requestCriu').lazy).toBe(true)
})

test('the directory of the notify socket is made where the container had it mounted', () => {
  expect(kinds({})).not.toContain('makeNotifyDirectory')
  expect(kinds({ criu: { outside: { streams: [], mounts: ['/run/notify'] } } })[0]).toBe('makeNotifyDirectory')
})

test('labels are checked that the configuration asks for, or the caller in their place', () => {
  const spec = withProcess({ selinuxLabel: 'a:b:c:d', apparmorProfile: 'web' })
  const labels = (given: Given): readonly unknown[] =>
    plan(given).create.flatMap((op) => (op.kind === 'checkLabel' ? [[op.module, op.label, op.pointer]] : []))
  const facts = { ...FACTS_V2, selinux: true, apparmor: 'unconfined' } as const
  expect(labels({})).toEqual([])
  expect(labels({ spec: withProcess({ apparmorProfile: 'unconfined' }) })).toEqual([])
  expect(labels({ spec, facts })).toEqual([
    ['SELinux', 'a:b:c:d', '/process/selinuxLabel'],
    ['AppArmor', 'web', '/process/apparmorProfile'],
  ])
  expect(labels({ spec, facts, criu: { lsmProfile: 'apparmor:other' } })[1]).toEqual(['AppArmor', 'other', ''])
  expect(labels({ criu: { lsmProfile: 'selinux:x:y' } })).toEqual([['SELinux', 'x:y', '']])
})
