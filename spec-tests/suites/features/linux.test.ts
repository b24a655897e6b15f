// features-linux.md: every namespace and capability that is listed.
import { readFileSync, readlinkSync } from 'node:fs'
import { bundle, deepEqual, notEqual, ok, requires, test } from '../../lib'
import { allProven, features, NO_FEATURES } from './document'

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
