/**
 * Every property of config.json that a Linux runtime reads, by the specification 1.3.0 (config.md, config-linux.md): what
 * values it may have, and one of them. All examples together are a valid configuration.
 */

/** What the specification, or the kernel for it, lets a property be. */
export interface Kind {
  readonly accepts: (value: unknown) => boolean
  /** What a message has to say is allowed. */
  readonly says: RegExp
}

export interface Property extends Kind {
  readonly required: boolean
  readonly example: unknown
  /** Its members or entries have rows of their own. */
  readonly container: 'object' | 'list' | 'map' | undefined
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && !value.includes('\0') && !/\p{Surrogate}/u.test(value)

const when = (test: (text: string) => boolean, says: RegExp): Kind => ({
  accepts: (value) => isText(value) && test(value),
  says,
})

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

const TEXT = when(() => true, /must be a string/)
const FILLED = when((text) => text !== '', /must be a string that is not empty|must be an absolute path/)
const ABSOLUTE = when((text) => text.startsWith('/'), /must be an absolute path|must be a string/)
const VERSION = when((text) => /^[01]\.\d+\.\d+([-+]|$)/.test(text), /Semantic Versioning|must be a string|version 1/)
const CPU_LIST = when(
  (text) => /^[\d, -]*$/.test(text) && !text.includes('-'),
  /list of (numbers and ranges|CPUs|memory nodes)/,
)
const word = (...words: readonly string[]): Kind => when((text) => words.includes(text), /must be one of /)
const BOOLEAN: Kind = { accepts: (value) => typeof value === 'boolean', says: /must be true or false/ }

const integer = (least: bigint, most: bigint): Kind => ({
  accepts: (value) =>
    (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) &&
    value >= least &&
    value <= most,
  says: new RegExp(`must be an integer from ${least} to ${most}`),
})

const INT32 = integer(-(2n ** 31n), 2n ** 31n - 1n)
const UINT32 = integer(0n, 2n ** 32n - 1n)
/** -1, as all bits set, is no user and no group: credentials(7). */
const ID = integer(0n, 2n ** 32n - 2n)
const INT64 = integer(-(2n ** 63n), 2n ** 63n - 1n)
const UINT64 = integer(0n, 2n ** 64n - 1n)
/** A limit, of which -1 is none. */
const LIMIT = integer(-1n, 2n ** 63n - 1n)
const ERRNO = integer(0n, 65535n)
/** 0 is written by engines for a weight that is not set. */
const WEIGHT: Kind = {
  accepts: (value) => value === 0 || integer(10n, 1000n).accepts(value),
  says: /must be an integer from 10 to 1000/,
}

/** A property that may be absent. */
const may = (kind: Kind, example: unknown): Property => ({ ...kind, required: false, example, container: undefined })
const must = (kind: Kind, example: unknown): Property => ({ ...may(kind, example), required: true })

const container = (type: Property['container'], says: RegExp, accepts: Kind['accepts'], key = ''): Property => ({
  accepts,
  says,
  required: false,
  example: key,
  container: type,
})
const OBJECT = container('object', /must be an object/, isObject)
const LIST = container('list', /must be an array/, Array.isArray)
const FILLED_LIST = container(
  'list',
  /must be an array|at least (one|1) entry/,
  (value) => Array.isArray(value) && value.length > 0,
)
/** What has no value that is allowed, and so no example. */
const NOTHING = must({ accepts: () => false, says: /must be (empty|a string)/ }, undefined)
/** A map with an entry of that name. */
const map = (name: string): Property => container('map', /must be an object/, isObject, name)
const required = (property: Property): Property => ({ ...property, required: true })

type Table = Readonly<Record<string, Property>>

/** Rows of the members of an object, or of each entry of a list. */
const within = (prefix: string, table: Table): Table =>
  Object.fromEntries(Object.entries(table).map(([name, property]) => [`${prefix}${name}`, property]))

const idMappings = (prefix: string, hostID: number): Table =>
  within(prefix, {
    '': LIST,
    '/*': OBJECT,
    '/*/containerID': must(UINT32, 0),
    '/*/hostID': must(UINT32, hostID),
    '/*/size': must(UINT32, 65536),
  })

const strings = (prefix: string, example: string, kind = TEXT): Table =>
  within(prefix, { '': LIST, '/*': must(kind, example) })

const hooks = (name: string): Table =>
  within(`/hooks/${name}`, {
    '': LIST,
    '/*': OBJECT,
    '/*/path': must(ABSOLUTE, `/usr/libexec/${name}`),
    ...strings('/*/args', name),
    ...strings('/*/env', 'A=1'),
    '/*/timeout': may(integer(1n, 2n ** 32n - 1n), 30),
  })

const throttle = (name: string): Table =>
  within(`/linux/resources/blockIO/${name}`, {
    '': LIST,
    '/*': OBJECT,
    '/*/major': must(UINT32, 8),
    '/*/minor': must(UINT32, 0),
    '/*/rate': must(UINT64, 600),
  })

const RLIMITS = [
  ...['AS', 'CORE', 'CPU', 'DATA', 'FSIZE', 'LOCKS', 'MEMLOCK', 'MSGQUEUE', 'NICE', 'NOFILE', 'NPROC', 'RSS'],
  ...['RTPRIO', 'RTTIME', 'SIGPENDING', 'STACK'],
].map((name) => `RLIMIT_${name}`)

const PROCESS: Table = within('/process', {
  '': OBJECT,
  '/terminal': may(BOOLEAN, false),
  '/consoleSize': OBJECT,
  '/consoleSize/height': must(UINT64, 24),
  '/consoleSize/width': must(UINT64, 80),
  '/cwd': must(ABSOLUTE, '/srv'),
  ...strings(
    '/env',
    'PATH=/bin',
    when((text) => text.indexOf('=') > 0, /"name=value"|must be a string/),
  ),
  '/args': required(FILLED_LIST),
  '/args/*': must(TEXT, '/bin/app'),
  '/rlimits': LIST,
  '/rlimits/*': OBJECT,
  '/rlimits/*/type': must({ ...word(...RLIMITS), says: /must be one of|must be a string/ }, 'RLIMIT_NOFILE'),
  '/rlimits/*/soft': must(UINT64, 1024),
  '/rlimits/*/hard': must(UINT64, 1024),
  '/apparmorProfile': may(TEXT, 'unconfined'),
  '/capabilities': OBJECT,
  ...['effective', 'bounding', 'inheritable', 'permitted', 'ambient'].reduce(
    (table, set) => Object.assign(table, strings(`/capabilities/${set}`, 'CAP_KILL')),
    {},
  ),
  '/noNewPrivileges': may(BOOLEAN, true),
  '/oomScoreAdj': may(integer(-1000n, 1000n), 0),
  '/scheduler': OBJECT,
  '/scheduler/policy': must(
    word(...['OTHER', 'FIFO', 'RR', 'BATCH', 'ISO', 'IDLE', 'DEADLINE'].map((name) => `SCHED_${name}`)),
    'SCHED_DEADLINE',
  ),
  '/scheduler/nice': may(INT32, 0),
  '/scheduler/priority': may(INT32, 0),
  ...strings(
    '/scheduler/flags',
    'SCHED_FLAG_RESET_ON_FORK',
    word('SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_RECLAIM', 'SCHED_FLAG_DL_OVERRUN'),
  ),
  '/scheduler/runtime': may(UINT64, 10000000),
  '/scheduler/deadline': may(UINT64, 30000000),
  '/scheduler/period': may(UINT64, 60000000),
  '/ioPriority': OBJECT,
  '/ioPriority/class': must(word('IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'), 'IOPRIO_CLASS_BE'),
  '/ioPriority/priority': may(integer(0n, 7n), 4),
  '/execCPUAffinity': OBJECT,
  '/execCPUAffinity/initial': may(CPU_LIST, '0-3,7'),
  '/execCPUAffinity/final': may(CPU_LIST, ''),
  '/selinuxLabel': may(TEXT, ''),
  '/user': OBJECT,
  '/user/uid': may(ID, 1000),
  '/user/gid': may(ID, 1000),
  '/user/umask': may(integer(0n, 0o777n), 18),
  '/user/additionalGids': LIST,
  '/user/additionalGids/*': must(ID, 5),
})

const RESOURCES: Table = within('/linux/resources', {
  '': OBJECT,
  '/devices': LIST,
  '/devices/*': OBJECT,
  '/devices/*/allow': must(BOOLEAN, true),
  '/devices/*/type': may(word('a', 'b', 'c'), 'c'),
  '/devices/*/major': may(integer(-1n, 2n ** 32n - 1n), 10),
  '/devices/*/minor': may(integer(-1n, 2n ** 32n - 1n), -1),
  '/devices/*/access': may(
    when((text) => /^[rwm]*$/.test(text), /letters r, w and m/),
    'rwm',
  ),
  '/memory': OBJECT,
  ...within('/memory/', {
    limit: may(LIMIT, 536870912),
    reservation: may(LIMIT, 536870912),
    swap: may(LIMIT, -1),
    kernel: may(LIMIT, -1),
    kernelTCP: may(LIMIT, 0),
    swappiness: may(integer(0n, 100n), 60),
    disableOOMKiller: may(BOOLEAN, false),
    useHierarchy: may(BOOLEAN, true),
    checkBeforeUpdate: may(BOOLEAN, true),
  }),
  '/cpu': OBJECT,
  ...within('/cpu/', {
    shares: may(UINT64, 1024),
    quota: may(INT64, 50000),
    burst: may(UINT64, 10000),
    period: may(UINT64, 100000),
    realtimeRuntime: may(INT64, 0),
    realtimePeriod: may(UINT64, 0),
    cpus: may(CPU_LIST, '0'),
    mems: may(CPU_LIST, '0'),
    idle: may(integer(0n, 1n), 0),
  }),
  '/pids': OBJECT,
  '/pids/limit': must(LIMIT, 0),
  '/blockIO': OBJECT,
  '/blockIO/weight': may(WEIGHT, 10),
  '/blockIO/leafWeight': may(WEIGHT, 0),
  '/blockIO/weightDevice': LIST,
  '/blockIO/weightDevice/*': OBJECT,
  '/blockIO/weightDevice/*/major': must(UINT32, 8),
  '/blockIO/weightDevice/*/minor': must(UINT32, 0),
  '/blockIO/weightDevice/*/weight': may(WEIGHT, 500),
  '/blockIO/weightDevice/*/leafWeight': may(WEIGHT, 0),
  '/hugepageLimits': LIST,
  '/hugepageLimits/*': OBJECT,
  '/hugepageLimits/*/pageSize': must(
    when((text) => /^[1-9]\d{0,8}[KMG]B$/.test(text), /size such as/),
    '2MB',
  ),
  '/hugepageLimits/*/limit': must(UINT64, 0),
  '/network': OBJECT,
  '/network/classID': may(UINT32, 1048577),
  '/network/priorities': LIST,
  '/network/priorities/*': OBJECT,
  '/network/priorities/*/name': must(
    when(
      (text) => /^[^\s/:]{1,15}$/.test(text) && Buffer.byteLength(text) <= 15 && !/^\.\.?$/.test(text),
      /at most 15/,
    ),
    'eth0',
  ),
  '/network/priorities/*/priority': must(UINT32, 500),
  '/rdma': map('mlx5_1'),
  '/rdma/*': OBJECT,
  '/rdma/*/hcaHandles': may(UINT32, 3),
  '/rdma/*/hcaObjects': may(UINT32, 10000),
  '/unified': map('memory.high'),
  '/unified/*': must(TEXT, '1G'),
})

const ACTIONS = ['KILL', 'KILL_PROCESS', 'KILL_THREAD', 'TRAP', 'ERRNO', 'TRACE', 'ALLOW', 'LOG', 'NOTIFY'].map(
  (name) => `SCMP_ACT_${name}`,
)

const SECCOMP: Table = within('/linux/seccomp', {
  '': OBJECT,
  '/defaultAction': must(word(...ACTIONS), 'SCMP_ACT_ERRNO'),
  '/defaultErrnoRet': may(ERRNO, 38),
  ...strings('/architectures', 'SCMP_ARCH_X86_64', word('SCMP_ARCH_X86_64')),
  ...strings('/flags', 'SECCOMP_FILTER_FLAG_LOG', word('SECCOMP_FILTER_FLAG_LOG')),
  '/listenerPath': may(TEXT, '/run/agent.sock'),
  '/listenerMetadata': may(TEXT, 'a'),
  '/syscalls': LIST,
  '/syscalls/*': OBJECT,
  '/syscalls/*/names': required(FILLED_LIST),
  '/syscalls/*/names/*': must(TEXT, 'clone'),
  '/syscalls/*/action': must(word(...ACTIONS), 'SCMP_ACT_ERRNO'),
  '/syscalls/*/errnoRet': may(ERRNO, 1),
  '/syscalls/*/args': LIST,
  '/syscalls/*/args/*': OBJECT,
  '/syscalls/*/args/*/index': must(integer(0n, 5n), 0),
  '/syscalls/*/args/*/value': must(UINT64, 1),
  '/syscalls/*/args/*/valueTwo': may(UINT64, 2080505856),
  '/syscalls/*/args/*/op': must(
    word(...['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((name) => `SCMP_CMP_${name}`)),
    'SCMP_CMP_MASKED_EQ',
  ),
})

const NAMESPACES = ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts']

const LINUX: Table = within('/linux', {
  '': OBJECT,
  '/namespaces': LIST,
  '/namespaces/*': OBJECT,
  '/namespaces/*/type': must(word(...NAMESPACES), 'mount'),
  '/namespaces/*/path': may(
    when((text) => text === '' || text.startsWith('/'), /must be an absolute path|must be a string/),
    '',
  ),
  ...idMappings('/uidMappings', 100000),
  ...idMappings('/gidMappings', 200000),
  '/timeOffsets': OBJECT,
  '/timeOffsets/monotonic': OBJECT,
  '/timeOffsets/monotonic/secs': may(INT64, -172800),
  '/timeOffsets/monotonic/nanosecs': may(integer(0n, 999999999n), 999999999),
  '/timeOffsets/boottime': OBJECT,
  '/timeOffsets/boottime/secs': may(INT64, 604800),
  '/timeOffsets/boottime/nanosecs': may(integer(0n, 999999999n), 0),
  '/devices': LIST,
  '/devices/*': OBJECT,
  '/devices/*/type': must(word('b', 'c', 'p', 'u'), 'c'),
  '/devices/*/path': must(ABSOLUTE, '/dev/fuse'),
  '/devices/*/major': may(UINT32, 10),
  '/devices/*/minor': may(UINT32, 229),
  '/devices/*/fileMode': may(UINT32, 438),
  '/devices/*/uid': may(ID, 0),
  '/devices/*/gid': may(ID, 0),
  '/netDevices': map('eth1'),
  '/netDevices/*': OBJECT,
  '/netDevices/*/name': may(TEXT, 'ctr%d'),
  '/cgroupsPath': may(TEXT, '/app/one'),
  '/sysctl': map('net.ipv4.ip_forward'),
  '/sysctl/*': must(TEXT, '1'),
  '/rootfsPropagation': may(word('', 'private', 'shared', 'slave', 'unbindable'), 'slave'),
  ...strings('/maskedPaths', '/proc/kcore', ABSOLUTE),
  ...strings('/readonlyPaths', '/proc/sys', ABSOLUTE),
  '/mountLabel': may(TEXT, ''),
  '/intelRdt': OBJECT,
  '/intelRdt/closID': may(TEXT, 'guaranteed'),
  '/intelRdt/l3CacheSchema': may(TEXT, 'L3:0=7f0;1=1f'),
  '/intelRdt/memBwSchema': may(
    when((text) => text === '' || /^MB:[^\n]*$/.test(text), /"MB:"|must be a string/),
    'MB:0=20;1=70',
  ),
  ...strings('/intelRdt/schemata', 'L2:0=f'),
  '/intelRdt/enableMonitoring': may(BOOLEAN, true),
  '/intelRdt/enableCMT': may(BOOLEAN, true),
  '/intelRdt/enableMBM': may(BOOLEAN, true),
  '/personality': OBJECT,
  '/personality/domain': must(word('LINUX', 'LINUX32'), 'LINUX32'),
  '/personality/flags': LIST,
  // "Currently no flag values are supported."
  '/personality/flags/*': NOTHING,
  '/memoryPolicy': OBJECT,
  '/memoryPolicy/mode': must(
    word(...['DEFAULT', 'BIND', 'INTERLEAVE', 'WEIGHTED_INTERLEAVE', 'PREFERRED', 'PREFERRED_MANY', 'LOCAL'].map(mpol)),
    'MPOL_INTERLEAVE',
  ),
  '/memoryPolicy/nodes': may(CPU_LIST, '0'),
  ...strings('/memoryPolicy/flags', 'MPOL_F_STATIC_NODES', word('MPOL_F_STATIC_NODES')),
})

function mpol(mode: string): string {
  return `MPOL_${mode}`
}

const HOOK_NAMES = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']

/** By JSON pointer (RFC 6901), with * for any entry of a list or map. A container stands before what is in it. */
export const PROPERTIES: Table = {
  '/ociVersion': must(VERSION, '1.3.0'),
  '/root': required(OBJECT),
  '/root/path': must(FILLED, 'rootfs'),
  '/root/readonly': may(BOOLEAN, true),
  '/mounts': LIST,
  '/mounts/*': OBJECT,
  '/mounts/*/destination': must(FILLED, '/data'),
  '/mounts/*/source': may(TEXT, 'data'),
  '/mounts/*/type': may(TEXT, 'none'),
  ...strings('/mounts/*/options', 'rbind'),
  ...idMappings('/mounts/*/uidMappings', 1),
  ...idMappings('/mounts/*/gidMappings', 1),
  ...PROCESS,
  '/hostname': may(TEXT, 'slartibartfast'),
  '/domainname': may(TEXT, 'foobarbaz.test'),
  '/hooks': OBJECT,
  ...HOOK_NAMES.reduce((table, name) => Object.assign(table, hooks(name)), {}),
  '/annotations': map('org.example.key'),
  '/annotations/*': must(TEXT, 'value'),
  ...LINUX,
  ...RESOURCES,
  ...['throttleReadBpsDevice', 'throttleWriteBpsDevice', 'throttleReadIOPSDevice', 'throttleWriteIOPSDevice'].reduce(
    (table, name) => Object.assign(table, throttle(name)),
    {},
  ),
  ...SECCOMP,
}

/** The pointer of the example: 0 for an entry of a list, the example's name for one of a map. */
export function examplePointer(pattern: string): string {
  const steps = pattern.split('/')
  return steps
    .map((step, at) => {
      if (step !== '*') return step
      const around = PROPERTIES[steps.slice(0, at).join('/')]
      return around?.container === 'map' ? String(around.example) : '0'
    })
    .join('/')
}

type Node = Record<string, unknown>

/** A configuration with every property. Namespaces are all new. */
export function exampleConfig(): Node {
  const config: Node = {}
  for (const [pattern, { example, container: type }] of Object.entries(PROPERTIES)) {
    if (example === undefined) continue
    const steps = examplePointer(pattern).slice(1).split('/')
    const last = steps.pop() ?? ''
    const parent = steps.reduce<Node>((node, step) => node[step] as Node, config)
    parent[last] = type === undefined ? example : type === 'list' ? [] : {}
  }
  const linux = config['linux'] as Node
  const others = NAMESPACES.filter((type) => type !== 'mount').map((type) => ({ type }))
  linux['namespaces'] = [...(linux['namespaces'] as Node[]), ...others]
  return config
}
