import { describe, expect, test } from 'vitest'
import { fullConfig, minimalConfig, put, toJson } from '../fixtures'
import { inspectSpec } from '../load'
import { RULES } from './index'
import { canonicalSysctl } from './sysctl'

type Changes = Readonly<Record<string, unknown>>

const faultsOf = (config: Record<string, unknown>, changes: Changes) => {
  for (const [pointer, value] of Object.entries(changes)) put(config, pointer, value)
  return inspectSpec(toJson(config)).faults
}

const namespaces = (...types: readonly string[]) => types.map((type) => ({ type }))
const mapping = { containerID: 0, hostID: 1000, size: 10 }
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ containerID: index, hostID: index, size: 1 }))
const notify = { names: ['mount'], action: 'SCMP_ACT_NOTIFY' }

/** Rule, changes to the full config, pointer of the fault, part of its message. */
const FAULTS: readonly (readonly [rule: string, changes: Changes, pointer: string, message: string])[] = [
  ['oci-version', { '/ociVersion': '1.0' }, '/ociVersion', 'Semantic Versioning'],
  ['oci-version', { '/ociVersion': '01.0.0' }, '/ociVersion', 'Semantic Versioning'],
  ['oci-version', { '/ociVersion': 'v1.0.0' }, '/ociVersion', 'not "v1.0.0"'],
  ['oci-version', { '/ociVersion': '1.0.0-' }, '/ociVersion', 'Semantic Versioning'],
  ['oci-version', { '/ociVersion': '1.0.0-a..b' }, '/ociVersion', 'Semantic Versioning'],
  ['oci-version', { '/ociVersion': '1.0.0-01' }, '/ociVersion', 'Semantic Versioning'],
  ['oci-version', { '/ociVersion': '1.0.0-a_b' }, '/ociVersion', 'Semantic Versioning'],
  ['oci-version', { '/ociVersion': '' }, '/ociVersion', 'Semantic Versioning'],
  ['oci-version', { '/ociVersion': '2.0.0' }, '/ociVersion', 'knows version 1'],
  ['oci-version-known', { '/ociVersion': '1.4.0' }, '/ociVersion', 'newer than 1.3.0'],
  ['oci-version-known', { '/ociVersion': '0.5.0-dev' }, '/ociVersion', 'before the specification'],
  ['oci-version-known', { '/ociVersion': '1.0.0-rc5' }, '/ociVersion', 'before the specification'],

  ['mount-destination', { '/mounts/0/destination': 'proc' }, '/mounts/0/destination', '"proc" is taken from /'],
  ['mount-source', { '/mounts/1/source': undefined }, '/mounts/1/source', 'required for a bind mount'],
  ['mount-source', { '/mounts/1/source': '' }, '/mounts/1/source', 'required for a bind mount'],
  ['mount-bind-data', { '/mounts/1/options/1': 'size=1m' }, '/mounts/1/options/1', '"size=1m" is not a mount option'],
  ['mount-bind-data', { '/mounts/1/options/1': 'toString' }, '/mounts/1/options/1', 'not a mount option'],
  ['mount-mappings', { '/mounts/1/uidMappings': undefined }, '/mounts/1/uidMappings', 'together with gidMappings'],
  ['mount-mappings', { '/mounts/1/gidMappings': undefined }, '/mounts/1/gidMappings', 'together with uidMappings'],
  ['mount-mappings-bind', { '/mounts/1/options': ['ro'] }, '/mounts/1/uidMappings', 'neither bind nor rbind'],
  ['mount-mappings', { '/mounts/1/gidMappings': [] }, '/mounts/1/gidMappings', 'missing or empty'],
  ['mount-mappings-bind', { '/mounts/1/options': ['bind', 'remount'] }, '/mounts/1/uidMappings', 'or have remount'],
  ['mount-mappings-bind', { '/mounts/0/options': ['ridmap'] }, '/mounts/0/options/0', 'neither bind nor rbind'],
  [
    'mount-idmap',
    { '/mounts/0/options': ['bind', 'ridmap'], '/linux/namespaces/5/type': 'mount' },
    '/mounts/0/options/1',
    'needs /mounts/0/uidMappings and gidMappings, or a namespace of type user',
  ],
  ['mount-idmap-option', { '/mounts/0/options': ['bind', 'idmap=x'] }, '/mounts/0/options/1', '"x" is neither uids'],
  [
    'mount-idmap-option',
    { '/mounts/1/options': ['bind', 'idmap=uids=0-1-1;gids=0-1-1'] },
    '/mounts/1/options/1',
    'has mappings, and /mounts/1/uidMappings and gidMappings are there too',
  ],
  [
    'mount-idmap-option',
    { '/mounts/0/options': ['bind', 'idmap=uids=0-1-1;gids=0-1-1', 'ridmap=uids=0-1-1;gids=0-1-1'] },
    '/mounts/0/options/2',
    'so has another option',
  ],
  [
    'mount-idmap-option',
    { '/mounts/0/options': ['bind', 'idmap=uids=0-1-5;gids=0-1-5#4-9-1'] },
    '/mounts/0/options/1',
    'gids has ranges that overlap (in the file system)',
  ],
  ['mount-links', { '/mounts/0/options': ['dest-nofollow'] }, '/mounts/0/options/0', '(dest-nofollow) is for bind'],
  [
    'mount-links',
    { '/mounts/0/options': ['bind', 'copy-symlink', 'src-nofollow'] },
    '/mounts/0/options/2',
    '(src-nofollow) does not go with copy-symlink',
  ],

  ['cwd-absolute', { '/process/cwd': 'srv' }, '/process/cwd', 'absolute path, not "srv"'],
  ['cwd-absolute', { '/process/cwd': '' }, '/process/cwd', 'absolute path'],
  ['cwd-absolute', { '/process/cwd': '../..' }, '/process/cwd', 'absolute path'],
  ['args-given', { '/process/args': [] }, '/process/args', 'at least one entry'],
  ['args-given', { '/process/args': undefined }, '/process/args', 'at least one entry'],
  ['env-form', { '/process/env/0': 'PATH' }, '/process/env/0', '"name=value", not "PATH"'],
  ['env-form', { '/process/env/0': '=x' }, '/process/env/0', '"name=value"'],
  ['rlimit-type', { '/process/rlimits/0/type': 'RLIMIT_FOO' }, '/process/rlimits/0/type', 'not "RLIMIT_FOO"'],
  ['rlimit-type', { '/process/rlimits/0/type': 'constructor' }, '/process/rlimits/0/type', 'must be one of'],
  ['rlimit-unique', { '/process/rlimits/1/type': 'RLIMIT_NOFILE' }, '/process/rlimits/1/type', '/process/rlimits/0'],
  [
    'rlimit-order',
    { '/process/rlimits/0/soft': 18446744073709551615n, '/process/rlimits/0/hard': 18446744073709551614n },
    '/process/rlimits/0/soft',
    'must not be above hard (18446744073709551614) of RLIMIT_NOFILE',
  ],
  ['rlimit-order', { '/process/rlimits/1/soft': 1 }, '/process/rlimits/1/soft', 'is 1, but'],
  [
    'groups-count',
    { '/process/user/additionalGids': Array.from({ length: 65537 }, (_, gid) => gid) },
    '/process/user/additionalGids',
    'has 65537 entries, but the kernel takes at most 65536',
  ],
  ['capability-known', { '/process/capabilities/bounding/1': 'KILL' }, '/process/capabilities/bounding/1', '"KILL"'],
  ['capability-known', { '/process/capabilities/bounding/1': '' }, '/process/capabilities/bounding/1', '""'],
  [
    'capability-grantable',
    { '/process/capabilities/effective/0': 'CAP_CHOWN' },
    '/process/capabilities/effective',
    'CAP_CHOWN cannot be granted',
  ],
  [
    'capability-grantable',
    { '/process/capabilities/inheritable': [] },
    '/process/capabilities/ambient',
    'CAP_KILL cannot be granted',
  ],
  ['console-size', { '/process/consoleSize/width': 65536 }, '/process/consoleSize/width', 'at most 65535'],

  [
    'scheduler-nice',
    { '/process/scheduler': { policy: 'SCHED_BATCH', nice: 20 } },
    '/process/scheduler/nice',
    'from -20 to 19, not 20',
  ],
  ['scheduler-priority', { '/process/scheduler': { policy: 'SCHED_RR' } }, '/process/scheduler/priority', '1 to 99'],
  ['scheduler-priority', { '/process/scheduler/priority': 1 }, '/process/scheduler/priority', 'only SCHED_FIFO'],
  [
    'scheduler-deadline',
    { '/process/scheduler/policy': 'SCHED_OTHER', '/process/scheduler/period': 18446744073709551615n },
    '/process/scheduler/period',
    'only SCHED_DEADLINE',
  ],
  [
    'scheduler-nice-unused',
    { '/process/scheduler': { policy: 'SCHED_FIFO', priority: 1, nice: 3 } },
    '/process/scheduler/nice',
    'no effect with SCHED_FIFO',
  ],
  ['scheduler-deadline-order', { '/process/scheduler/runtime': 1023 }, '/process/scheduler/runtime', 'at least 1024'],
  ['scheduler-deadline-order', { '/process/scheduler/deadline': 9999999 }, '/process/scheduler/deadline', 'runtime'],
  ['scheduler-deadline-order', { '/process/scheduler/period': 20000000 }, '/process/scheduler/period', 'deadline'],
  ['scheduler-deadline-order', { '/process/scheduler/period': 2n ** 63n }, '/process/scheduler/period', 'below 2^63'],
  ['scheduler-deadline-hooks', { '/process/scheduler/flags': [] }, '/process/scheduler/flags', 'startContainer hooks'],

  ['namespace-unique', { '/linux/namespaces/7/type': 'pid' }, '/linux/namespaces/7/type', '/linux/namespaces/0'],
  ['namespace-path', { '/linux/namespaces/1/path': '../netns' }, '/linux/namespaces/1/path', 'absolute path'],
  ['hostname-namespace', { '/linux/namespaces/4/type': 'ipc' }, '/hostname', 'type uts'],
  ['domainname-namespace', { '/linux/namespaces': undefined }, '/domainname', 'type uts'],
  ['uts-name-length', { '/hostname': 'ä'.repeat(33) }, '/hostname', 'at most 64 bytes, not 66'],
  ['paths-namespace', { '/linux/namespaces': namespaces('pid') }, '/linux/maskedPaths', 'type mount'],
  ['paths-namespace', { '/linux/namespaces': namespaces('pid') }, '/linux/readonlyPaths', 'type mount'],

  ['mappings-namespace', { '/linux/namespaces/5/type': 'pid' }, '/linux/uidMappings', 'type user'],
  ['mappings-namespace', { '/linux/gidMappings': [] }, '/linux/gidMappings', 'required for a new user namespace'],
  ['mappings-count', { '/linux/uidMappings': many(341) }, '/linux/uidMappings', 'at most 340'],
  ['mapping-size', { '/linux/uidMappings/0/size': 0 }, '/linux/uidMappings/0/size', 'at least 1'],
  ['mapping-size', { '/linux/uidMappings/0/hostID': 4294967295 }, '/linux/uidMappings/0/size', 'beyond the last id'],
  ['mapping-size', { '/mounts/1/gidMappings/0/size': 0 }, '/mounts/1/gidMappings/0/size', 'at least 1'],
  [
    'mapping-overlap',
    { '/linux/gidMappings': [{ ...mapping, containerID: 9, hostID: 5 }, mapping] },
    '/linux/gidMappings/0/containerID',
    'within the range of /linux/gidMappings/1',
  ],
  [
    'mapping-overlap',
    { '/linux/gidMappings': [{ ...mapping, containerID: 10, hostID: 1009 }, mapping] },
    '/linux/gidMappings/0/hostID',
    'is 1009: within',
  ],

  ['time-clock', { '/linux/timeOffsets/a~1b': {} }, '/linux/timeOffsets/a~1b', 'only monotonic and boottime'],
  ['time-clock', { '/linux/timeOffsets/realtime': {} }, '/linux/timeOffsets/realtime', 'only monotonic and boottime'],
  ['time-namespace', { '/linux/namespaces/7/type': 'pid' }, '/linux/timeOffsets', 'type time'],
  ['time-namespace', { '/linux/namespaces/7/path': '/proc/1/ns/time' }, '/linux/timeOffsets', 'joined by its path'],

  ['device-number', { '/linux/devices/0/minor': undefined }, '/linux/devices/0/minor', 'required for type c'],
  ['device-number', { '/linux/devices/1/type': 'b' }, '/linux/devices/1/major', 'required for type b'],
  ['device-path', { '/linux/devices/1/path': '/dev/fuse' }, '/linux/devices/1/path', 'another device'],
  [
    'device-unique',
    { '/linux/devices/1': { type: 'c', path: '/dev/other', major: 10, minor: 229 } },
    '/linux/devices/1',
    'same device (c 10:229) as /linux/devices/0',
  ],

  ['net-device-namespace', { '/linux/namespaces/1/type': 'pid' }, '/linux/netDevices', 'type network'],
  ['net-device-name', { '/linux/netDevices/eth1/name': 'a b' }, '/linux/netDevices/eth1/name', 'not "a b"'],
  ['net-device-name', { '/linux/netDevices/eth1/name': 'x'.repeat(16) }, '/linux/netDevices/eth1/name', 'must be'],
  ['net-device-name', { '/linux/netDevices/eth1/name': 'a%d%d' }, '/linux/netDevices/eth1/name', 'must be'],
  ['net-device-name', { '/linux/netDevices/..': {} }, '/linux/netDevices/..', 'not the name'],
  ['net-device-name', { '/linux/netDevices/a~1b': {} }, '/linux/netDevices/a~1b', 'not the name'],
  ['net-device-unique', { '/linux/netDevices/eth1/name': 'eth2' }, '/linux/netDevices/eth2', 'would be named eth2'],

  ['memory-swap', { '/linux/resources/memory/swap': 536870911 }, '/linux/resources/memory/swap', 'not be below limit'],
  [
    'memory-swap',
    { '/linux/resources/memory/swap': 1, '/linux/resources/memory/limit': -1 },
    '/linux/resources/memory/swap',
    'needs /linux/resources/memory/limit',
  ],
  ['cpu-burst', { '/linux/resources/cpu/burst': 50001 }, '/linux/resources/cpu/burst', 'above quota (50000)'],
  [
    'cpu-realtime',
    { '/linux/resources/cpu/realtimeRuntime': 1000001 },
    '/linux/resources/cpu/realtimeRuntime',
    'above realtimePeriod',
  ],
  [
    'block-weight',
    { '/linux/resources/blockIO/weightDevice/0': { major: 8, minor: 0 } },
    '/linux/resources/blockIO/weightDevice/0',
    'weight or leafWeight',
  ],
  [
    'hugepage-unique',
    { '/linux/resources/hugepageLimits/1': { pageSize: '2MB', limit: 0 } },
    '/linux/resources/hugepageLimits/1/pageSize',
    'hugepageLimits/0 has set already',
  ],
  ['rdma-limit', { '/linux/resources/rdma/mlx5_1': {} }, '/linux/resources/rdma/mlx5_1', 'hcaHandles or hcaObjects'],
  ['rdma-device', { '/linux/resources/rdma/a b': { hcaHandles: 1 } }, '/linux/resources/rdma/a b', 'white space'],
  ['rdma-device', { '/linux/resources/rdma/a\nb': { hcaHandles: 1 } }, '/linux/resources/rdma/a\nb', 'white space'],
  ['rdma-limit', { '/linux/resources/rdma/a~1b': {} }, '/linux/resources/rdma/a~1b', 'hcaHandles or hcaObjects'],
  ['unified-key', { '/linux/resources/unified/~0~1': '1' }, '/linux/resources/unified/~0~1', 'name of a file'],
  [
    'unified-key',
    { [`/linux/resources/unified/${'x'.repeat(256)}`]: '1' },
    `/linux/resources/unified/${'x'.repeat(256)}`,
    'at most 255 bytes',
  ],
  ['unified-key', { '/linux/resources/unified/..~1x': '1' }, '/linux/resources/unified/..~1x', 'name of a file'],
  ['unified-key', { '/linux/resources/unified/..': '1' }, '/linux/resources/unified/..', 'name of a file'],

  ['sysctl-namespace', { '/linux/sysctl/vm.swappiness': '1' }, '/linux/sysctl/vm.swappiness', 'whole host'],
  ['sysctl-namespace', { '/linux/sysctl/kernel~1hostname': 'a' }, '/linux/sysctl/kernel~1hostname', 'use /hostname'],
  ['sysctl-namespace', { '/linux/sysctl/net~1..~1vm': 'a' }, '/linux/sysctl/net~1..~1vm', 'not the name'],
  ['sysctl-namespace', { '/linux/sysctl/net..vm': 'a' }, '/linux/sysctl/net..vm', 'not the name'],
  [
    'sysctl-namespace',
    { '/linux/namespaces/1/type': 'pid' },
    '/linux/sysctl/net.ipv4.ip_forward',
    'needs a namespace of type network',
  ],
  [
    'sysctl-namespace',
    { '/linux/namespaces/3/type': 'pid', '/linux/sysctl/kernel.shmmax': '1' },
    '/linux/sysctl/kernel.shmmax',
    'needs a namespace of type ipc',
  ],
  [
    'sysctl-namespace',
    { '/linux/namespaces/5/type': 'pid', '/linux/sysctl/user.max_net_namespaces': '1' },
    '/linux/sysctl/user.max_net_namespaces',
    'needs a namespace of type user',
  ],

  [
    'seccomp-errno',
    { '/linux/seccomp/syscalls/0/errnoRet': 1 },
    '/linux/seccomp/syscalls/0/errnoRet',
    'SCMP_ACT_ALLOW returns no errno',
  ],
  [
    'seccomp-errno',
    { '/linux/seccomp/defaultAction': 'SCMP_ACT_LOG' },
    '/linux/seccomp/defaultErrnoRet',
    'SCMP_ACT_LOG',
  ],
  [
    'seccomp-notify',
    { '/linux/seccomp/defaultAction': 'SCMP_ACT_NOTIFY' },
    '/linux/seccomp/defaultAction',
    'must not be',
  ],
  [
    'seccomp-notify',
    { '/linux/seccomp/syscalls/0/action': 'SCMP_ACT_NOTIFY' },
    '/linux/seccomp/syscalls/0/action',
    'for write',
  ],
  [
    'seccomp-listener',
    {
      '/linux/seccomp/syscalls/0': notify,
      '/linux/seccomp/listenerPath': undefined,
      '/linux/seccomp/listenerMetadata': undefined,
    },
    '/linux/seccomp/syscalls/0/action',
    'needs /linux/seccomp/listenerPath',
  ],
  ['seccomp-metadata', { '/linux/seccomp/listenerPath': '' }, '/linux/seccomp/listenerMetadata', 'listenerPath'],

  ['rdt-clos-id', { '/linux/intelRdt/closID': '..' }, '/linux/intelRdt/closID', 'name of a directory'],
  ['rdt-clos-id', { '/linux/intelRdt/closID': 'a/b' }, '/linux/intelRdt/closID', 'not "a/b"'],
  ['rdt-memory-schema', { '/linux/intelRdt/memBwSchema': 'L3:0=f' }, '/linux/intelRdt/memBwSchema', '"MB:"'],
  ['rdt-memory-schema', { '/linux/intelRdt/memBwSchema': 'MB:0=1\n' }, '/linux/intelRdt/memBwSchema', 'one line'],
  ['rdt-schemata', { '/linux/intelRdt/schemata/0': 'a\nb' }, '/linux/intelRdt/schemata/0', 'one line'],
  ['selinux-label', { '/process/selinuxLabel': 'container_t' }, '/process/selinuxLabel', '"user:role:type[:level]"'],
  ['selinux-label', { '/process/selinuxLabel': 'u:r:t:' }, '/process/selinuxLabel', 'not "u:r:t:"'],
  ['mount-label', { '/linux/mountLabel': 'u:r:t:s0",size=1m' }, '/linux/mountLabel', 'must be an SELinux context'],
  ['mount-label', { '/linux/mountLabel': 'u:r:t:s0 ' }, '/linux/mountLabel', 'must be an SELinux context'],
  ['apparmor-profile', { '/process/apparmorProfile': ' a' }, '/process/apparmorProfile', 'not " a"'],
  ['apparmor-profile', { '/process/apparmorProfile': 'a\nexec b' }, '/process/apparmorProfile', 'name of a profile'],
  ['personality-flags', { '/linux/personality/flags': ['X'] }, '/linux/personality/flags', 'must be empty'],
  ['memory-policy-nodes', { '/linux/memoryPolicy/nodes': '' }, '/linux/memoryPolicy/nodes', 'must name a node'],
  ['memory-policy-nodes', { '/linux/memoryPolicy/mode': 'MPOL_LOCAL' }, '/linux/memoryPolicy/nodes', 'must be empty'],
  [
    'memory-policy-flags',
    { '/linux/memoryPolicy/flags/1': 'MPOL_F_RELATIVE_NODES' },
    '/linux/memoryPolicy/flags',
    'must not have both',
  ],
]

test.each(FAULTS.map((fault) => [fault[0], fault[2], fault] as const))('%s: %s', (_rule, _pointer, fault) => {
  const [rule, changes, pointer, message] = fault
  const expected = RULES.find(({ id }) => id === rule)
  expect(faultsOf(fullConfig(), changes)).toContainEqual(
    expect.objectContaining({
      severity: expected?.severity,
      section: expected?.section,
      rule,
      pointer,
      message: expect.stringContaining(message),
    }),
  )
})

test('every rule is seen to find its fault, and has its own name', () => {
  const seen = new Set(FAULTS.map(([rule]) => rule))
  expect(RULES.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([])
  expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length)
  for (const { section } of RULES) expect(section).toMatch(/^config(-linux)?\.md ".+"$/)
})

const devices = (...list: readonly unknown[]) => ({ '/linux/devices': list })

describe('what is allowed', () => {
  test.each<readonly [string, Changes]>([
    ['a version of the snapshot', { '/ociVersion': '1.3.0+dev' }],
    ['a version before release', { '/ociVersion': '1.2.1-dev' }],
    ['a version with a build', { '/ociVersion': '1.2.1-rc.1+001.a' }],
    ['no process', { '/process': undefined }],
    ['no linux', { '/linux': undefined }],
    ['empty names', { '/hostname': '', '/domainname': '' }],
    ['empty lists', { '/linux/maskedPaths': [], '/linux/uidMappings': [], '/linux/namespaces': [] }],
    ['a joined user namespace', { '/linux/namespaces': [{ type: 'user', path: '/proc/1/ns/user' }] }],
    [
      'a joined user namespace with mappings',
      {
        '/linux/namespaces': [{ type: 'user', path: '/proc/1/ns/user' }],
        '/linux/uidMappings': [mapping],
        '/linux/gidMappings': [mapping],
      },
    ],
    [
      'as many mappings as the kernel takes',
      {
        '/linux/namespaces': namespaces('user'),
        '/linux/uidMappings': many(340),
        '/linux/gidMappings': many(340),
      },
    ],
    [
      'all ids mapped',
      {
        '/linux/namespaces': namespaces('user'),
        '/linux/uidMappings': [{ containerID: 0, hostID: 0, size: 4294967295 }],
        '/linux/gidMappings': [{ containerID: 0, hostID: 0, size: 4294967295 }],
      },
    ],
    ['the same device at the same path', devices({ type: 'u', path: '/dev/a', major: 1, minor: 3 })],
    ['a remount without a source', { '/mounts': [{ destination: '/', options: ['bind', 'remount', 'ro'] }] }],
    ['swap and limit of 0, which are not set', { '/linux/resources': { memory: { limit: 0, swap: 0 } } }],
    ['swap equal to limit', { '/linux/resources': { memory: { limit: 5, swap: 5 } } }],
    ['a weight that is not set', { '/linux/resources': { blockIO: { weight: 0 } } }],
    ['the default class', { '/linux/intelRdt': { closID: '/' } }],
    ['a preferred node, or none', { '/linux/memoryPolicy': { mode: 'MPOL_PREFERRED', nodes: '' } }],
    [
      'a deadline without a period',
      { '/process/scheduler': { policy: 'SCHED_DEADLINE', runtime: 1024, deadline: 1024 } },
    ],
    ['a console size without a terminal', { '/process/consoleSize': { height: 2 ** 32, width: 0 } }],
  ])('%s', (_name, changes) => {
    expect(faultsOf(minimalConfig(), changes)).toEqual([])
  })
})

test('names of sysctls by sysctl(8)', () => {
  expect(canonicalSysctl('net/ipv4/conf/eth0.100/forwarding')).toBe('net.ipv4.conf.eth0/100.forwarding')
  expect(canonicalSysctl('net.ipv4.conf.eth0/100.forwarding')).toBe('net.ipv4.conf.eth0/100.forwarding')
  expect(canonicalSysctl('kernel')).toBe('kernel')
})
