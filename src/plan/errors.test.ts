import { describe, expect, test } from 'vitest'
import { TsruncError } from '../errors'
import type { HostFacts, PlanOptions } from '../host/facts'
import type { Mount, Process, Spec } from '../spec/types'
import { BASE, FACTS_USER, FACTS_V2, resolve, USER_NAMESPACE, withLinux, withProcess } from './fixtures'

interface Refused {
  readonly spec: Spec
  readonly options?: Partial<PlanOptions>
  readonly facts?: HostFacts
  readonly code: string
  readonly pointer: string
  readonly message: RegExp
}

function refusal({ spec, options, facts }: Refused): TsruncError {
  try {
    resolve(spec, options, facts)
  } catch (error) {
    if (error instanceof TsruncError) return error
    throw error
  }
  throw new Error('the plan was made')
}

const withMount = (mount: Mount): Spec => ({ ...BASE, mounts: [mount] })
const notSupported = (pointer: string, spec: Spec, message = /not supported yet/): Refused => ({
  spec,
  code: 'NOT_SUPPORTED',
  pointer,
  message,
})
const process = (part: Partial<Process>): Spec => withProcess(part)
const MAPPING = { containerID: 0, hostID: 1, size: 1 }

const CASES: Readonly<Record<string, Refused>> = {
  // ---- what is not built yet ----
  'a network device for the host': {
    spec: withLinux({ namespaces: [{ type: 'network', path: '/proc/self/ns/net' }], netDevices: { eth1: {} } }),
    facts: { ...FACTS_V2, namespaces: { ...FACTS_V2.namespaces, '/proc/self/ns/net': '4:2' } },
    code: 'HOST_NAMESPACE',
    pointer: '/linux/netDevices/eth1',
    message: /network namespace is the host's own/,
  },
  'a network device without privileges': {
    spec: { ...USER_NAMESPACE, linux: { ...USER_NAMESPACE.linux, netDevices: { eth1: { name: 'a' } } } },
    facts: FACTS_USER,
    code: 'NEEDS_PRIVILEGES',
    pointer: '/linux/netDevices/eth1',
    message: /move network device "eth1" into the container as "a": only root/,
  },
  'seccomp plugins': notSupported('/annotations/run.oci.seccomp.plugins', {
    ...BASE,
    annotations: { 'run.oci.seccomp.plugins': '/lib/a.so' },
  }),
  'a flag that is none': {
    spec: { ...BASE, annotations: { 'run.oci.keep_original_groups': 'yes' } },
    code: 'ANNOTATION',
    pointer: '/annotations/run.oci.keep_original_groups',
    message: /must be "1" or "0", not "yes"/,
  },
  'a receiver that is relative': {
    spec: { ...BASE, annotations: { 'run.oci.pidfd_receiver': 'socket' } },
    code: 'ANNOTATION',
    pointer: '/annotations/run.oci.pidfd_receiver',
    message: /must be an absolute path, not "socket"/,
  },
  'a log that is relative': {
    spec: { ...BASE, hooks: { poststop: [{ path: '/h' }] }, annotations: { 'run.oci.hooks.stderr': '' } },
    code: 'ANNOTATION',
    pointer: '/annotations/run.oci.hooks.stderr',
    message: /must be an absolute path/,
  },
  'no resctrl': {
    spec: withLinux({ intelRdt: {} }),
    code: 'RDT',
    pointer: '/linux/intelRdt',
    message: /no resctrl file system is mounted/,
  },
  'a class of service that is not there': {
    spec: withLinux({ intelRdt: { closID: 'gold' } }),
    facts: { ...FACTS_V2, resctrl: { mountPoint: '/sys/fs/resctrl' } },
    code: 'RDT',
    pointer: '/linux/intelRdt/closID',
    message: /"gold" does not exist/,
  },
  'a class of service with other schemata': {
    spec: withLinux({ intelRdt: { closID: 'gold', memBwSchema: 'MB:0=20', schemata: ['L3:0=f'] } }),
    facts: { ...FACTS_V2, resctrl: { mountPoint: '/sys/fs/resctrl', schemata: 'L3:0=ff\nMB:0= 20\n' } },
    code: 'RDT',
    pointer: '/linux/intelRdt',
    message: /"gold" exists with other schemata than "L3:0=f"/,
  },
  'systemd on a host without it': {
    spec: BASE,
    options: { cgroupManager: 'systemd' },
    code: 'NO_SYSTEMD',
    pointer: '',
    message: /^systemd not running on this host, cannot use systemd cgroups manager$/,
  },
  'remount with propagation': notSupported(
    '/mounts/0/options',
    withMount({ destination: '/a', options: ['remount', 'rprivate'] }),
    /a remount cannot change the propagation/,
  ),
  'tmpcopyup with a long value': notSupported(
    '/mounts/0/options',
    withMount({ destination: '/a', type: 'tmpfs', options: ['tmpcopyup', `mpol=${'x'.repeat(256)}`] }),
    /tmpcopyup together with/,
  ),

  // ---- mounts ----
  'a mount over the root': {
    spec: withMount({ destination: '/a/..', type: 'tmpfs' }),
    code: 'MOUNT_DESTINATION',
    pointer: '/mounts/0/destination',
    message: /^mount "\/a\/\.\.": nothing can be mounted over the root/,
  },
  'a mount without type': {
    spec: withMount({ destination: '/a', source: '/b' }),
    code: 'MOUNT_TYPE',
    pointer: '/mounts/0',
    message: /needs a type, or one of the options bind and rbind/,
  },
  'type bind without the option': {
    spec: withMount({ destination: '/a', type: 'bind', source: '/b', options: ['ro'] }),
    code: 'MOUNT_TYPE',
    pointer: '/mounts/0/type',
    message: /has the option bind or rbind/,
  },
  'tmpcopyup of another type': {
    spec: withMount({ destination: '/a', source: '/b', options: ['bind', 'tmpcopyup'] }),
    code: 'MOUNT_TYPE',
    pointer: '/mounts/0/options',
    message: /tmpcopyup is for mounts of type tmpfs only/,
  },
  'a bind mount without source': {
    spec: withMount({ destination: '/a', options: ['bind'] }),
    code: 'MOUNT_SOURCE',
    pointer: '/mounts/0',
    message: /needs a source/,
  },
  'idmap without a user namespace': {
    spec: withMount({ destination: '/a', source: '/b', options: ['bind', 'idmap'] }),
    code: 'MOUNT_IDMAP',
    pointer: '/mounts/0/options/1',
    message: /^mount "\/a": .* no user namespace of its own/,
  },
  'a word of idmap that cannot be read': {
    spec: withMount({ destination: '/a', source: '/b', options: ['bind', 'idmap=uids=0-1-1'] }),
    code: 'MOUNT_IDMAP',
    pointer: '/mounts/0/options/1',
    message: /"idmap=uids=0-1-1": it has no gids/,
  },
  'an id-mapped mount without privileges': {
    spec: {
      ...USER_NAMESPACE,
      mounts: [{ destination: '/a', source: '/b', options: ['bind'], uidMappings: [MAPPING], gidMappings: [MAPPING] }],
    },
    facts: FACTS_USER,
    code: 'NEEDS_PRIVILEGES',
    pointer: '/mounts/0/uidMappings',
    message: /only root can make an id-mapped mount/,
  },
  'an id-mapped file system': {
    spec: withMount({ destination: '/a', type: 'tmpfs', uidMappings: [MAPPING], gidMappings: [MAPPING] }),
    code: 'MOUNT_TYPE',
    pointer: '/mounts/0',
    message: /only a bind mount can be id-mapped/,
  },
  'links of a file system': {
    spec: withMount({ destination: '/a', type: 'tmpfs', options: ['dest-nofollow'] }),
    code: 'MOUNT_TYPE',
    pointer: '/mounts/0/options',
    message: /are for bind mounts only/,
  },
  'copy-symlink and src-nofollow': {
    spec: withMount({ destination: '/a', source: '/b', options: ['bind', 'copy-symlink', 'src-nofollow'] }),
    code: 'MOUNT_OPTION',
    pointer: '/mounts/0/options',
    message: /copy-symlink makes no mount/,
  },
  'a bind mount with an option of a file system': {
    spec: withMount({ destination: '/a', source: '/b', options: ['bind', 'size=5'] }),
    code: 'MOUNT_OPTION',
    pointer: '/mounts/0/options',
    message: /"size=5" is an option of a file system/,
  },
  'cgroups on a host without': {
    spec: withMount({ destination: '/sys/fs/cgroup', type: 'cgroup' }),
    facts: { ...FACTS_V2, cgroup: { version: 0 } },
    code: 'NO_CGROUPS',
    pointer: '/mounts/0',
    message: /no cgroups mounted/,
  },
  'more bind mounts than slots': {
    spec: {
      ...USER_NAMESPACE,
      mounts: Array.from({ length: 513 }, (_, n) => ({ destination: `/${n}`, source: '/b', options: ['bind'] })),
    },
    code: 'TOO_MANY_MOUNTS',
    pointer: '/mounts/512/source',
    message: /^mount "\/512": a container has at most 512 id-mapped mounts/,
  },
  'a propagation that is none': {
    spec: withLinux({ rootfsPropagation: 'loud' }),
    code: 'ROOTFS_PROPAGATION',
    pointer: '/linux/rootfsPropagation',
    message: /"loud" is none of shared, slave, private and unbindable/,
  },
  'a device number out of range': {
    spec: withLinux({ devices: [{ type: 'c', path: '/dev/x', major: 1, minor: -1 }] }),
    code: 'DEVICE_NUMBER',
    pointer: '/linux/devices/0/minor',
    message: /minor number -1 is out of range/,
  },

  // ---- namespaces, as seen on this host ----
  "a hostname in the host's own namespace": {
    spec: { ...withLinux({ namespaces: [{ type: 'uts', path: '/proc/1/ns/uts' }] }), hostname: 'a' },
    facts: { ...FACTS_V2, namespaces: { ...FACTS_V2.namespaces, '/proc/1/ns/uts': '4:3' } },
    code: 'HOST_NAMESPACE',
    pointer: '/hostname',
    message: /^set the hostname: the container's uts namespace is the host's own/,
  },
  "a sysctl of the host's own namespace": {
    spec: withLinux({
      namespaces: [{ type: 'mount' }, { type: 'network', path: '/proc/1/ns/net' }],
      sysctl: { 'net/ipv4/ip_forward': '1' },
    }),
    facts: { ...FACTS_V2, namespaces: { ...FACTS_V2.namespaces, '/proc/1/ns/net': '4:2' } },
    code: 'HOST_NAMESPACE',
    pointer: '/linux/sysctl/net~1ipv4~1ip_forward',
    message: /the container's network namespace is the host's own/,
  },
  'a sysctl of no namespace': {
    spec: withLinux({ sysctl: { 'vm.swappiness': '1' } }),
    code: 'SYSCTL',
    pointer: '/linux/sysctl/vm.swappiness',
    message: /belongs to no namespace/,
  },

  // ---- users and privileges ----
  'no privileges and no user namespace': {
    spec: BASE,
    facts: FACTS_USER,
    code: 'NEEDS_PRIVILEGES',
    pointer: '/linux/namespaces',
    message: /^user 1000 is not root, and without privileges a container needs a user namespace/,
  },
  'root without a mapping': {
    spec: withLinux({
      namespaces: [{ type: 'user' }],
      uidMappings: [{ ...MAPPING, containerID: 1 }],
      gidMappings: [MAPPING],
    }),
    code: 'ID_NOT_MAPPED',
    pointer: '/linux/uidMappings',
    message: /^uid 0 of the container is in none of the ranges of \/linux\/uidMappings/,
  },
  'a user without a mapping': {
    spec: { ...USER_NAMESPACE, process: { ...BASE.process, user: { uid: 65536, gid: 0 } } },
    code: 'ID_NOT_MAPPED',
    pointer: '/process/user/uid',
    message: /^uid 65536/,
  },
  'a group without a mapping': {
    spec: { ...USER_NAMESPACE, process: { ...BASE.process, user: { additionalGids: [1, 70000] } } },
    code: 'ID_NOT_MAPPED',
    pointer: '/process/user/additionalGids/1',
    message: /^gid 70000/,
  },
  'groups where they cannot be set': {
    spec: {
      ...withLinux({
        namespaces: [{ type: 'user' }],
        uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: 1001, size: 1 }],
      }),
      process: { ...BASE.process, user: { additionalGids: [0] } },
    },
    facts: FACTS_USER,
    code: 'SETGROUPS',
    pointer: '/process/user/additionalGids',
    message: /additional groups cannot be set/,
  },

  // ---- terminal, descriptors, the rest ----
  'a terminal, detached, without a socket': {
    spec: process({ terminal: true }),
    code: 'CONSOLE_SOCKET',
    pointer: '/process/terminal',
    message: /^cannot allocate tty if tsrunc will detach without setting console socket$/,
  },
  'a socket without a terminal': {
    spec: BASE,
    options: { consoleSocket: '/s' },
    code: 'CONSOLE_SOCKET',
    pointer: '/process/terminal',
    message: /^cannot use console socket if tsrunc will not detach or allocate tty$/,
  },
  'a socket in the foreground': {
    spec: process({ terminal: true }),
    options: { consoleSocket: '/s', detach: false },
    code: 'CONSOLE_SOCKET',
    pointer: '/process/terminal',
    message: /^cannot use console socket/,
  },
  'a descriptor that is not open': {
    spec: BASE,
    options: { preserveFds: 2, caller: { fds: [0, 1, 2, 3, 5], pid: 1 } },
    code: 'PRESERVE_FDS',
    pointer: '',
    message: /^--preserve-fds 2: file descriptor 4 is not open/,
  },
  'a socket of LISTEN_FDS that is not open': {
    spec: BASE,
    options: { environment: { LISTEN_FDS: '1', LISTEN_PID: '4711' } },
    code: 'PRESERVE_FDS',
    pointer: '',
    message: /^LISTEN_FDS=1: file descriptor 3 is not open/,
  },
  'a notify socket that is no address': {
    spec: BASE,
    options: { environment: { NOTIFY_SOCKET: 'run/notify' } },
    code: 'NOTIFY_SOCKET',
    pointer: '',
    message: /NOTIFY_SOCKET must be an absolute path or an abstract name \("@NAME"\), not "run\/notify"$/,
  },
  'a stop signal that is none': {
    spec: { ...BASE, annotations: { 'org.opencontainers.image.stopSignal': 'SIGFOO' } },
    code: 'STOP_SIGNAL',
    pointer: '/annotations/org.opencontainers.image.stopSignal',
    message: /"SIGFOO" is not a signal/,
  },
  'a variable that is longer than the kernel takes': {
    spec: process({ env: ['A=1', `B=${'x'.repeat(131070)}`] }),
    code: 'EXEC_SIZE',
    pointer: '/process/env/1',
    message: /at most 131071 bytes \(execve\(2\), MAX_ARG_STRLEN\), this one has 131072/,
  },
  'an argument of a hook that is longer than the kernel takes, by bytes': {
    spec: { ...BASE, hooks: { poststop: [{ path: '/bin/a', args: ['a', 'é'.repeat(65536)] }] } },
    code: 'EXEC_SIZE',
    pointer: '/hooks/poststop/0/args/1',
    message: /this one has 131072/,
  },
  'more arguments than the kernel takes': {
    spec: process({ args: Array.from({ length: 64 }, () => 'x'.repeat(100_000)) }),
    code: 'EXEC_SIZE',
    pointer: '/process/args',
    message: /take 6400\d\d\d bytes, and execve\(2\) takes at most 6291456$/,
  },
  'more variables than a quarter of the stack': {
    spec: process({
      env: Array.from({ length: 20 }, (_, at) => `A${at}=${'x'.repeat(60_000)}`),
      rlimits: [{ type: 'RLIMIT_STACK', soft: 4 << 20, hard: 4 << 20 }],
    }),
    code: 'EXEC_SIZE',
    pointer: '/process/env',
    message: /at most 1048576, a quarter of RLIMIT_STACK$/,
  },
  'more options than mount(2) takes': {
    spec: withMount({ destination: '/a', type: 'overlay', options: [`lowerdir=${'x'.repeat(4087)}`] }),
    code: 'MOUNT_OPTION',
    pointer: '/mounts/0/options',
    message: /its options have 4096 bytes, and mount\(2\) takes at most 4095$/,
  },
  'more options than a remount takes': {
    spec: withMount({ destination: '/a', options: ['remount', 'é'.repeat(3000)] }),
    code: 'MOUNT_OPTION',
    pointer: '/mounts/0/options',
    message: /its options have 6000 bytes/,
  },
  'more conditions than a filter can have': {
    spec: withLinux({
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: Array.from({ length: 4097 }, (_, value) => ({
          names: ['read'],
          action: 'SCMP_ACT_KILL',
          args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
        })),
      },
    }),
    code: 'SECCOMP',
    pointer: '/linux/seccomp/syscalls',
    message: /4097 conditions .* at most 4096 instructions/,
  },
  'a cgroup with a name that is too long': {
    spec: withLinux({ cgroupsPath: `/a/${'x'.repeat(256)}` }),
    code: 'CGROUP_PATH',
    pointer: '/linux/cgroupsPath',
    message: /at most 255 bytes, the path 3072/,
  },
  'a cgroup with a path that is too long': {
    spec: withLinux({ cgroupsPath: 'a/'.repeat(1600) }),
    code: 'CGROUP_PATH',
    pointer: '/linux/cgroupsPath',
    message: /the path 3072/,
  },
  'an unknown seccomp action': {
    spec: withLinux({ seccomp: { defaultAction: 'ALLOW' } }),
    code: 'SECCOMP',
    pointer: '/linux/seccomp/defaultAction',
    message: /"ALLOW" is not a seccomp action/,
  },
  'an unknown seccomp operator': {
    spec: withLinux({
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_KILL', args: [{ index: 0, value: 1, op: 'EQ' }] }],
      },
    }),
    code: 'SECCOMP',
    pointer: '/linux/seccomp/syscalls/0/args/0/op',
    message: /"EQ" is not a seccomp operator/,
  },
  'a seccomp filter that notifies nobody': {
    spec: withLinux({
      seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }] },
    }),
    code: 'SECCOMP',
    pointer: '/linux/seccomp/syscalls/0/action',
    message: /needs \/linux\/seccomp\/listenerPath/,
  },
  'a seccomp program that is not base64': {
    spec: { ...BASE, annotations: { 'run.oci.seccomp_bpf_data': 'AAA%' } },
    code: 'SECCOMP',
    pointer: '/annotations/run.oci.seccomp_bpf_data',
    message: /is not base64/,
  },
  'a seccomp program of half an instruction': {
    spec: { ...BASE, annotations: { 'run.oci.seccomp_bpf_data': 'AAAAAA==' } },
    code: 'SECCOMP',
    pointer: '/annotations/run.oci.seccomp_bpf_data',
    message: /has 4 bytes, a filter is 1 to 4096 instructions of 8 bytes/,
  },
  'a profile without AppArmor': {
    spec: process({ apparmorProfile: 'docker-default' }),
    facts: { ...FACTS_V2, selinux: true },
    code: 'NO_APPARMOR',
    pointer: '/process/apparmorProfile',
    message: /"docker-default": AppArmor is not enabled on this host/,
  },
  'a label without SELinux': {
    spec: process({ selinuxLabel: 'system_u:system_r:container_t:s0' }),
    facts: { ...FACTS_V2, apparmor: 'unconfined' },
    code: 'NO_SELINUX',
    pointer: '/process/selinuxLabel',
    message: /SELinux is not enabled on this host/,
  },
  'a label of mounts without SELinux': {
    spec: withLinux({ mountLabel: 'system_u:object_r:container_file_t:s0' }),
    code: 'NO_SELINUX',
    pointer: '/linux/mountLabel',
    message: /SELinux is not enabled on this host/,
  },
  'a label of mounts that is too long': {
    spec: withLinux({ mountLabel: `u:r:t:s0:${'c'.repeat(250)}` }),
    facts: { ...FACTS_V2, selinux: true },
    code: 'NOT_SUPPORTED',
    pointer: '/linux/mountLabel',
    message: /more than 255 bytes/,
  },
  'an unknown option of SELinux': {
    spec: {
      ...withLinux({ mountLabel: 'u:r:t:s0' }),
      annotations: { 'run.oci.mount_context_type': 'seclabel' },
    },
    facts: { ...FACTS_V2, selinux: true },
    code: 'MOUNT_OPTION',
    pointer: '/annotations/run.oci.mount_context_type',
    message: /"seclabel" is no mount option of SELinux/,
  },
  'an unknown seccomp flag': {
    spec: withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags: ['FAST'] } }),
    code: 'SECCOMP',
    pointer: '/linux/seccomp/flags/0',
    message: /"FAST" is not a seccomp flag/,
  },
}

describe('what cannot be applied is an error which says what and where', () => {
  test.each(Object.entries(CASES))('%s', (_name, refused) => {
    const { code, pointer, message } = refusal(refused)
    expect({ code, pointer }).toEqual({ code: refused.code, pointer: refused.pointer })
    expect(message).toMatch(refused.message)
  })
})

test('words that ask for nothing are no error', () => {
  const { warnings } = resolve({
    ...withProcess({ apparmorProfile: 'unconfined', selinuxLabel: '', execCPUAffinity: { initial: '0' } }),
    linux: { ...BASE.linux, mountLabel: '', netDevices: {} },
  })
  expect(warnings).toEqual([])
})
