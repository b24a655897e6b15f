// config-linux.md without control groups and seccomp.
import { readFileSync } from 'node:fs'
import { digits } from '../../lib'
import { ABSENT, refuses } from './rows'

const NAMESPACES = [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }]

refuses('config-linux.md#namespaces', [
  ['/linux', [], {}, { hostAtRisk: true }],
  ['/linux/namespaces', {}, {}, { hostAtRisk: true }],
  ['/linux/namespaces', 'pid', {}, { hostAtRisk: true }],
  ['/linux/namespaces/5', 'cgroup'],
  ['/linux/namespaces/5/type', ABSENT, { '/linux/namespaces/5': { path: '/proc/self/ns/cgroup' } }],
  ['/linux/namespaces/5/type', 'no-such-namespace'],
  ['/linux/namespaces/5/type', 'net'],
  ['/linux/namespaces/5/type', 5],
  ['/linux/namespaces/5/type', 'pid'],
  ['/linux/namespaces/1/path', 'run/netns/x'],
  ['/linux/namespaces/1/path', '/no/such/namespace'],
  ['/linux/namespaces/1/path', '/proc/self/ns/uts'],
  ['/linux/namespaces/1/path', '/etc/passwd'],
  ['/linux/namespaces/1/path', 5],
  ['/linux/namespaces/1/path', '/proc/self/ns/net\0'],
])

const user = {
  '/linux/namespaces': [...NAMESPACES, { type: 'user' }],
  '/linux/gidMappings': [{ containerID: 0, hostID: 100000, size: 10 }],
}
const users = (...uidMappings: object[]): Readonly<Record<string, unknown>> => ({
  ...user,
  '/linux/uidMappings': uidMappings,
})
const mapping = { containerID: 0, hostID: 100000, size: 10 }

const ownUser = { '/linux/namespaces': [...NAMESPACES, { type: 'user', path: '/proc/self/ns/user' }] }

refuses('config-linux.md#user-namespace-mappings', [
  ['/linux/uidMappings', ABSENT, user],
  ['/linux/uidMappings', [], user],
  ['/linux/uidMappings', {}, user],
  ['/linux/uidMappings', [mapping], { '/linux/gidMappings': [mapping] }],
  ['/linux/uidMappings/0/containerID', ABSENT, users(mapping)],
  ['/linux/uidMappings/0/hostID', ABSENT, users(mapping)],
  ['/linux/uidMappings/0/size', ABSENT, users(mapping)],
  ['/linux/uidMappings/0/size', 0, users(mapping)],
  ['/linux/uidMappings/0/size', -1, users(mapping)],
  ['/linux/uidMappings/0/size', '10', users(mapping)],
  ['/linux/uidMappings/0/size', 4294967296, users(mapping)],
  ['/linux/uidMappings/0/size', 4294967295, users(mapping)],
  ['/linux/uidMappings/0/hostID', -1, users(mapping)],
  ['/linux/uidMappings/0/containerID', 0.5, users(mapping)],
  ['/linux/uidMappings/1/containerID', 9, users(mapping, { hostID: 200000, size: 10 })],
  ['/linux/uidMappings/1/hostID', 100009, users(mapping, { containerID: 10, size: 10 })],
  [
    '/linux/uidMappings',
    Array.from({ length: 341 }, (_, index) => ({ containerID: index, hostID: 100000 + index, size: 1 })),
    user,
  ],
  ['/linux/uidMappings', [mapping], { ...ownUser, '/linux/gidMappings': [mapping] }],
])

const time = { '/linux/namespaces': [...NAMESPACES, { type: 'time' }] }

refuses('config-linux.md#offset-for-time-namespace', [
  ['/linux/timeOffsets', [], time],
  ['/linux/timeOffsets', { monotonic: { secs: 5 } }],
  ['/linux/timeOffsets', { monotonic: { secs: -9000000000 } }, time],
  [
    '/linux/timeOffsets',
    { boottime: { secs: 5 } },
    { '/linux/namespaces': [...NAMESPACES, { type: 'time', path: '/proc/self/ns/time' }] },
  ],
  ['/linux/timeOffsets/realtime', { secs: 5 }, time],
  ['/linux/timeOffsets/monotonic', 5, time],
  ['/linux/timeOffsets/monotonic/secs', '5', time],
  ['/linux/timeOffsets/monotonic/secs', 0.5, time],
  ['/linux/timeOffsets/monotonic/secs', digits('9223372036854775808'), time],
  ['/linux/timeOffsets/boottime/nanosecs', 1000000000, time],
  ['/linux/timeOffsets/boottime/nanosecs', -1, time],
])

const device = { '/linux/devices': [{ path: '/dev/extra', type: 'c', major: 1, minor: 7 }] }

refuses('config-linux.md#devices', [
  ['/linux/devices', {}],
  ['/linux/devices/0', '/dev/extra'],
  ['/linux/devices/0/type', ABSENT, device],
  ['/linux/devices/0/type', 'x', device],
  ['/linux/devices/0/type', 'char', device],
  ['/linux/devices/0/type', 1, device],
  ['/linux/devices/0/path', ABSENT, device],
  ['/linux/devices/0/path', 'dev/extra', device],
  ['/linux/devices/0/path', '/dev/e\0xtra', device],
  ['/linux/devices/0/major', ABSENT, device],
  ['/linux/devices/0/minor', ABSENT, device],
  ['/linux/devices/0/major', '1', device],
  ['/linux/devices/0/minor', 1.5, device],
  ['/linux/devices/0/fileMode', '0666', device],
  ['/linux/devices/0/fileMode', -1, device],
  ['/linux/devices/0/uid', -1, device],
  ['/linux/devices/0/gid', 4294967296, device],
  [
    '/linux/devices/1/path',
    '/dev/extra',
    {
      '/linux/devices': [
        { path: '/dev/extra', type: 'c', major: 1, minor: 7 },
        { type: 'c', major: 1, minor: 5 },
      ],
    },
  ],
])

/** What the host has already, so that a runtime that sets it there changes nothing. */
const hostsBacklog = readFileSync('/proc/sys/net/core/somaxconn', 'utf8').trim()

refuses('config-linux.md#sysctl', [
  ['/linux/sysctl', []],
  ['/linux/sysctl/net.core.somaxconn', 128],
  ['/linux/sysctl/net.core.somaxconn', 'many'],
  ['/linux/sysctl/net.core.somaxconn', '1\0'],
  ['/linux/sysctl/net.core.no_such_thing', '1'],
  ['/linux/sysctl/kernel.core_pattern', 'core'],
  ['/linux/sysctl/vm.swappiness', '60'],
  ['/linux/sysctl/net..core', '1'],
  ['/linux/sysctl/net.core.~1..~1..~1..~1..~1..~1tmp', '1'],
  ['/linux/sysctl/', '1'],
  [
    '/linux/sysctl/net.core.somaxconn',
    hostsBacklog,
    { '/linux/namespaces': NAMESPACES.filter(({ type }) => type !== 'network') },
  ],
  [
    '/linux/sysctl/kernel.msgmax',
    '8192',
    {
      '/linux/namespaces': NAMESPACES.filter(({ type }) => type !== 'ipc'),
      '/mounts/4': { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    },
  ],
])

refuses('config-linux.md#cgroups-path', [
  ['/linux/cgroupsPath', 5, {}, { hostAtRisk: true }],
  ['/linux/cgroupsPath', ['/a'], {}, { hostAtRisk: true }],
  ['/linux/cgroupsPath', '/a\0b', {}, { hostAtRisk: true }],
])

refuses('config-linux.md#rootfs-mount-propagation', [
  ['/linux/rootfsPropagation', 'no-such-propagation'],
  ['/linux/rootfsPropagation', 1],
])

refuses('config-linux.md#masked-paths', [
  ['/linux/maskedPaths', '/proc/kcore'],
  ['/linux/maskedPaths/0', 5],
  ['/linux/maskedPaths/0', 'proc/kcore'],
  ['/linux/maskedPaths/0', '/proc/\0kcore'],
])

refuses('config-linux.md#readonly-paths', [
  ['/linux/readonlyPaths', {}],
  ['/linux/readonlyPaths/0', false],
  ['/linux/readonlyPaths/0', 'proc/sys'],
  ['/linux/readonlyPaths/0', '/proc/\0sys'],
])

refuses('config-linux.md#mount-label', [['/linux/mountLabel', 5]])

refuses('config-linux.md#intelrdt', [
  ['/linux/intelRdt', 'L3:0=f'],
  ['/linux/intelRdt/closID', 5],
  ['/linux/intelRdt/schemata', 'L3:0=f'],
  ['/linux/intelRdt/schemata/0', 5],
])

refuses('config-linux.md#personality', [
  ['/linux/personality', 'LINUX'],
  ['/linux/personality/domain', ABSENT, { '/linux/personality': { flags: [] } }],
  ['/linux/personality/domain', 'BSD'],
  ['/linux/personality/domain', 'linux'],
  ['/linux/personality/flags', 'ADDR_NO_RANDOMIZE', { '/linux/personality': { domain: 'LINUX' } }],
])

refuses('config-linux.md#memory-policy', [
  ['/linux/memoryPolicy', 'MPOL_BIND'],
  ['/linux/memoryPolicy/mode', ABSENT, { '/linux/memoryPolicy': { nodes: '0' } }],
  ['/linux/memoryPolicy/mode', 'MPOL_NO_SUCH'],
  ['/linux/memoryPolicy/nodes', 'a', { '/linux/memoryPolicy': { mode: 'MPOL_BIND' } }],
  ['/linux/memoryPolicy/flags/0', 'MPOL_F_NO_SUCH', { '/linux/memoryPolicy': { mode: 'MPOL_BIND', nodes: '0' } }],
])

refuses('config-linux.md#network-devices', [
  ['/linux/netDevices', ['eth0']],
  ['/linux/netDevices/no-such-device', {}],
  ['/linux/netDevices/name-that-is-too-long', {}],
  ['/linux/netDevices/lo/name', 'a/b', {}, { hostAtRisk: true }],
  ['/linux/netDevices/lo/name', 5],
])
