// features-linux.md: every namespace and capability that is listed.
import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, deepEqual, notEqual, ok, requires, test } from '../../lib'
import { REPOSITORY } from '../../lib/config'
import { allProven, features, NO_FEATURES, type ProvenElsewhere } from './document'

/** namespaces(7): the names in /proc/PID/ns. */
const FILES = {
  cgroup: 'cgroup',
  ipc: 'ipc',
  mount: 'mnt',
  network: 'net',
  pid: 'pid',
  time: 'time',
  user: 'user',
  uts: 'uts',
} as const

type NamespaceType = keyof typeof FILES

test('features-linux.md#namespaces [FEA-2a]: every namespace that is listed is made', {
  peers: NO_FEATURES,
}, async () => {
  requires('userns', 'cgroupns')
  const { namespaces } = (await features()).linux
  allProven(namespaces, Object.keys(FILES))
  if (namespaces.includes('time')) {
    requires('timens')
  }
  const types = namespaces as readonly NamespaceType[]
  const b = await bundle((c) => {
    c.linux.namespaces = types.map((type) => ({ type }))
    c.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
  })
  const report = await b.report()
  for (const type of types) {
    notEqual(report.namespaces[FILES[type]], readlinkSync(`/proc/self/ns/${FILES[type]}`), type)
  }
})

/** linux/capability.h: the number of a capability is its place here. */
const CAPABILITIES = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...['LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER'],
  ...['SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE'],
  ...['SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP'],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
].map((name) => `CAP_${name}`)

/** Numbers of the capabilities that this process may give away. */
const ownCapabilities = (): readonly number[] => {
  const [, digits = '0'] = /CapBnd:\s*([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return CAPABILITIES.map((_, number) => number).filter(
    (number) => ((BigInt(`0x${digits}`) >> BigInt(number)) & 1n) === 1n,
  )
}

// In six containers, each with the capabilities whose number has one of six bits: what a name means is told by the
// containers which have it.
for (const bit of [0, 1, 2, 3, 4, 5]) {
  test(`features-linux.md#capabilities [FEA-2a]: every capability that is listed is granted by its number (bit ${bit})`, {
    peers: NO_FEATURES,
  }, async () => {
    const { capabilities } = (await features()).linux
    allProven(capabilities, CAPABILITIES)
    const names = capabilities.filter((name) => ((CAPABILITIES.indexOf(name) >> bit) & 1) === 1)
    const own = ownCapabilities()
    const b = await bundle((c) => {
      c.process.capabilities = {
        bounding: names,
        permitted: names,
        effective: names,
        inheritable: names,
        ambient: names,
      }
    })
    const report = await b.report()
    const expected = names.map((name) => CAPABILITIES.indexOf(name)).filter((number) => own.includes(number))
    for (const set of ['bounding', 'permitted', 'effective', 'inheritable', 'ambient'] as const) {
      deepEqual(report.capabilities[set], expected, set)
    }
    ok(!/not a known|unknown/.test(b.errors()), b.errors())
  })
}

const MEMORY = 'config/scheduling.test.ts'
/** There each has a row of a table, and a test. */
const rows = (names: readonly string[]): Readonly<Record<string, ProvenElsewhere>> =>
  Object.fromEntries(names.map((name) => [name, { file: MEMORY, title: '[MPL-1a]: ' }]))

const POLICIES = rows([
  'MPOL_DEFAULT',
  'MPOL_PREFERRED',
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_LOCAL',
  'MPOL_PREFERRED_MANY',
  'MPOL_WEIGHTED_INTERLEAVE',
])
const POLICY_FLAGS = rows(['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_NUMA_BALANCING'])

test('features-linux.md#memory-policy [FEA-2c]: every mode and flag that is listed has a proof', {
  peers: NO_FEATURES,
}, async () => {
  const { modes = [], flags = [] } = (await features()).linux.memoryPolicy ?? {}
  allProven(modes, [], POLICIES)
  allProven(flags, [], POLICY_FLAGS)
  const text = readFileSync(join(REPOSITORY, 'spec-tests/suites', MEMORY), 'utf8')
  deepEqual(
    [...modes, ...flags].filter((name) => !text.includes(name)),
    [],
  )
})

/** What is said with `true` outside the section of cgroups, which has tests of its own. */
const SWITCHES: Readonly<Record<string, ProvenElsewhere>> = {
  'apparmor.enabled': { file: 'config/apparmor.test.ts', title: '[PRC-7a]: apparmorProfile confines the process' },
  'intelRdt.enabled': { file: 'config-linux/intel-rdt.test.ts', title: '[RDT-1a]: closID "/" is the default class' },
  'intelRdt.monitoring': { file: 'config-linux/intel-rdt.test.ts', title: 'enableMonitoring' },
  'intelRdt.schemata': {
    file: 'config-linux/intel-rdt.test.ts',
    title: '[RDT-1b]: l3CacheSchema, memBwSchema and schemata are written in this order',
  },
  'mountExtensions.idmap.enabled': {
    file: 'config/idmapped-mounts.test.ts',
    title: '[MNT-6a]: the mount is shown as id-mapped',
  },
  'netDevices.enabled': {
    file: 'config-linux/net-devices.test.ts',
    title: '[NET-1a]: a device moves into the network namespace of the container',
  },
  'seccomp.enabled': { file: 'features/seccomp.test.ts', title: '[FEA-2b]: every action that is listed' },
  'selinux.enabled': {
    file: 'config/selinux.test.ts',
    title: '[PRC-14a]: selinuxLabel is the label of the process',
  },
}

const switchedOn = (value: unknown, path = ''): readonly string[] => {
  if (value === true) {
    return [path]
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return []
  }
  return Object.entries(value).flatMap(([name, inner]) => switchedOn(inner, path === '' ? name : `${path}.${name}`))
}

test('features-linux.md [FEA-2a FEA-2c]: everything that is switched on has a proof', {
  peers: { ...NO_FEATURES, runc: '1.1 has fewer properties' },
  sometimes: true,
}, async () => {
  const { cgroup: _, ...others } = (await features()).linux
  allProven(switchedOn(others), [], SWITCHES)
})
