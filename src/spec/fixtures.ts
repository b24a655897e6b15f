/** Configurations for the tests of this folder. */
import { fromPointer } from './json'

/** The least that may be started. */
export const minimalConfig = (): Record<string, unknown> => ({
  ociVersion: '1.0.2',
  root: { path: 'rootfs' },
  process: { cwd: '/', args: ['/bin/true'] },
  linux: { namespaces: [{ type: 'mount' }] },
})

const process = () => ({
  terminal: true,
  consoleSize: { height: 24, width: 80 },
  cwd: '/srv',
  env: ['PATH=/bin', 'EMPTY='],
  args: ['/bin/app', ''],
  rlimits: [
    { type: 'RLIMIT_NOFILE', soft: 1024, hard: 18446744073709551615n },
    { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
  ],
  apparmorProfile: 'app',
  capabilities: {
    effective: ['CAP_KILL'],
    bounding: ['CAP_KILL', 'CAP_CHOWN'],
    inheritable: ['CAP_KILL'],
    permitted: ['CAP_KILL'],
    ambient: ['CAP_KILL'],
  },
  noNewPrivileges: true,
  oomScoreAdj: -1000,
  scheduler: {
    policy: 'SCHED_DEADLINE',
    nice: 0,
    priority: 0,
    flags: ['SCHED_FLAG_RESET_ON_FORK'],
    runtime: 10000000,
    deadline: 30000000,
    period: 9223372036854775807n,
  },
  ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
  execCPUAffinity: { initial: '0-3,7', final: '' },
  selinuxLabel: 'system_u:system_r:svirt_lxc_net_t:s0:c124,c675',
  user: { uid: 1000, gid: 1000, umask: 18, additionalGids: [5, 4294967294] },
})

const hook = (name: string) => ({ path: `/usr/libexec/${name}`, args: [name, '-v'], env: ['A=1'], timeout: 30 })
const mapping = (hostID: number) => ({ containerID: 0, hostID, size: 65536 })

const resources = () => ({
  devices: [{ allow: false }, { allow: true, type: 'c', major: 10, minor: -1, access: 'rwm' }],
  memory: {
    limit: 536870912,
    reservation: 536870912,
    swap: -1,
    kernel: -1,
    kernelTCP: 9223372036854775807n,
    swappiness: 60,
    disableOOMKiller: false,
    useHierarchy: true,
    checkBeforeUpdate: true,
  },
  cpu: {
    shares: 262144,
    quota: 50000,
    burst: 10000,
    period: 100000,
    realtimeRuntime: 950000,
    realtimePeriod: 1000000,
    cpus: '0-1',
    mems: '0',
    idle: 0,
  },
  pids: { limit: 0 },
  blockIO: {
    weight: 10,
    leafWeight: 1000,
    weightDevice: [{ major: 8, minor: 0, weight: 500, leafWeight: 300 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }],
    throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 18446744073709551615n }],
    throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 600 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 600 }],
  },
  hugepageLimits: [{ pageSize: '2MB', limit: 9223372036854775808n }],
  network: { classID: 1048577, priorities: [{ name: 'eth0', priority: 500 }] },
  rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 } },
  unified: { 'memory.high': '1G', 'io.max': '8:0 rbps=1\n8:16 rbps=2' },
})

const seccomp = () => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_LOONGARCH64'],
  flags: ['SECCOMP_FILTER_FLAG_LOG'],
  listenerPath: '/run/agent.sock',
  listenerMetadata: 'a',
  syscalls: [
    { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 1,
      args: [{ index: 0, value: 18446744073709551615n, valueTwo: 2080505856, op: 'SCMP_CMP_MASKED_EQ' }],
    },
  ],
})

const linux = () => ({
  namespaces: [
    { type: 'pid' },
    { type: 'network', path: '/run/netns/a' },
    { type: 'mount' },
    { type: 'ipc' },
    { type: 'uts', path: '' },
    { type: 'user' },
    { type: 'cgroup' },
    { type: 'time' },
  ],
  uidMappings: [mapping(100000)],
  gidMappings: [mapping(200000)],
  timeOffsets: { monotonic: { secs: -172800, nanosecs: 999999999 }, boottime: { secs: 604800, nanosecs: 0 } },
  devices: [
    { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 },
    { type: 'p', path: '/run/fifo' },
  ],
  netDevices: { eth1: { name: 'ctr%d' }, eth2: {} },
  cgroupsPath: '/app/one',
  resources: resources(),
  sysctl: { 'net.ipv4.ip_forward': '1', 'fs/mqueue/msg_max': '10', 'kernel.domainname': 'a' },
  seccomp: seccomp(),
  rootfsPropagation: 'rslave',
  maskedPaths: ['/proc/kcore'],
  readonlyPaths: ['/proc/sys'],
  mountLabel: 'system_u:object_r:svirt_sandbox_file_t:s0:c715,c811',
  intelRdt: {
    closID: 'guaranteed',
    l3CacheSchema: 'L3:0=7f0;1=1f',
    memBwSchema: 'MB:0=20;1=70',
    schemata: ['L2:0=f'],
    enableMonitoring: true,
    enableCMT: true,
    enableMBM: false,
  },
  personality: { domain: 'LINUX32', flags: [] },
  memoryPolicy: { mode: 'MPOL_INTERLEAVE', nodes: '0-3', flags: ['MPOL_F_STATIC_NODES'] },
})

/** Every property of the specification that a Linux runtime reads, each with a value that is allowed. */
export const fullConfig = (): Record<string, unknown> => ({
  ociVersion: '1.3.0',
  root: { path: '/srv/rootfs', readonly: true },
  mounts: [
    { destination: '/proc', source: 'proc', type: 'proc', options: ['nosuid', 'hidepid=2'] },
    {
      destination: '/data',
      source: 'data',
      type: 'none',
      options: ['rbind', 'ro', ''],
      uidMappings: [mapping(1)],
      gidMappings: [mapping(1)],
    },
  ],
  process: process(),
  hostname: 'slartibartfast',
  domainname: 'foobarbaz.test',
  hooks: {
    prestart: [hook('prestart')],
    createRuntime: [hook('createRuntime')],
    createContainer: [hook('createContainer')],
    startContainer: [hook('startContainer')],
    poststart: [hook('poststart')],
    poststop: [hook('poststop')],
  },
  annotations: { 'org.example.key/1': '', é: 'é' },
  linux: linux(),
})

/** JSON text of a value; bigints are written as numbers. */
export const toJson = (value: unknown): Buffer =>
  Buffer.from(
    JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'bigint' ? `\u0001${member}` : member,
    ).replace(/"\\u0001(-?\d+)"/g, '$1'),
  )

/** Sets the value at a pointer, in place; its parent must be there. undefined deletes. */
export function put(document: Record<string, unknown>, pointer: string, value: unknown): Record<string, unknown> {
  const steps = fromPointer(pointer)
  let parent: unknown = document
  for (const step of steps.slice(0, -1)) parent = Reflect.get(Object(parent), step)
  if (typeof parent !== 'object' || parent === null) throw new Error(`${pointer} has no parent`)
  const last = steps.at(-1) ?? ''
  if (value === undefined) Reflect.deleteProperty(parent, last)
  else Reflect.set(parent, last, value)
  return document
}
