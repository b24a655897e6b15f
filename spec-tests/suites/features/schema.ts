// The schema of the features document, written from features.md and features-linux.md: JSON schema, draft 07.

const STRINGS = { type: ['array', 'null'], items: { type: 'string' }, uniqueItems: true } as const
const FLAG = { type: ['boolean', 'null'] } as const
const VERSION = { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$' } as const

const named = (pattern: string) => ({ type: ['array', 'null'], items: { type: 'string', pattern }, uniqueItems: true })

/** "All properties except ociVersionMin and ociVersionMax MAY either be absent or have the null value." */
const object = (properties: Readonly<Record<string, object>>) => ({
  type: ['object', 'null'],
  properties,
  additionalProperties: false,
})

const ENABLED = object({ enabled: FLAG })

const LINUX = object({
  namespaces: {
    type: ['array', 'null'],
    items: { enum: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'] },
    uniqueItems: true,
  },
  capabilities: named('^CAP_[A-Z_]+$'),
  cgroup: object({ v1: FLAG, v2: FLAG, systemd: FLAG, systemdUser: FLAG, rdma: FLAG }),
  seccomp: object({
    enabled: FLAG,
    actions: named('^SCMP_ACT_[A-Z_]+$'),
    operators: named('^SCMP_CMP_(NE|LT|LE|EQ|GE|GT|MASKED_EQ)$'),
    archs: named('^SCMP_ARCH_[A-Z0-9_]+$'),
    knownFlags: named('^SECCOMP_FILTER_FLAG_[A-Z_]+$'),
    supportedFlags: named('^SECCOMP_FILTER_FLAG_[A-Z_]+$'),
  }),
  apparmor: ENABLED,
  selinux: ENABLED,
  intelRdt: object({ enabled: FLAG, schemata: FLAG, monitoring: FLAG }),
  mountExtensions: object({ idmap: ENABLED }),
  memoryPolicy: object({ modes: named('^MPOL_[A-Z_]+$'), flags: named('^MPOL_F_[A-Z_]+$') }),
  netDevices: ENABLED,
})

export const FEATURES_SCHEMA = {
  ...object({
    ociVersionMin: VERSION,
    ociVersionMax: VERSION,
    hooks: STRINGS,
    mountOptions: STRINGS,
    annotations: {
      type: ['object', 'null'],
      propertyNames: { minLength: 1 },
      additionalProperties: { type: 'string' },
    },
    potentiallyUnsafeConfigAnnotations: STRINGS,
    linux: LINUX,
  }),
  type: 'object',
  required: ['ociVersionMin', 'ociVersionMax'],
} as const
