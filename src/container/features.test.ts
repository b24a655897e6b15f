import Ajv from 'ajv'
import { describe, expect, it } from 'vitest'
import { features } from './features'

const strings = { type: 'array', items: { type: 'string' }, uniqueItems: true } as const
const enabled = { type: 'object', properties: { enabled: { type: 'boolean' } }, required: ['enabled'] } as const
const version = { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' } as const

/** An object of exactly these properties: what features.md and features-linux.md name. */
const exactly = (properties: object) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})

const SCHEMA = exactly({
  ociVersionMin: version,
  ociVersionMax: version,
  hooks: strings,
  mountOptions: strings,
  annotations: { type: 'object', additionalProperties: { type: 'string' } },
  potentiallyUnsafeConfigAnnotations: strings,
  linux: exactly({
    namespaces: strings,
    capabilities: { type: 'array', items: { type: 'string', pattern: '^CAP_[A-Z_]+$' } },
    cgroup: exactly({
      v1: { type: 'boolean' },
      v2: { type: 'boolean' },
      systemd: { type: 'boolean' },
      systemdUser: { type: 'boolean' },
      rdma: { type: 'boolean' },
    }),
    seccomp: exactly({
      enabled: { type: 'boolean' },
      actions: { type: 'array', items: { type: 'string', pattern: '^SCMP_ACT_[A-Z_]+$' } },
      operators: { type: 'array', items: { type: 'string', pattern: '^SCMP_CMP_[A-Z_]+$' } },
      archs: { type: 'array', items: { type: 'string', pattern: '^SCMP_ARCH_[A-Z0-9_]+$' } },
      knownFlags: { type: 'array', items: { type: 'string', pattern: '^SECCOMP_FILTER_FLAG_[A-Z_]+$' } },
      supportedFlags: strings,
    }),
    apparmor: enabled,
    selinux: enabled,
    intelRdt: exactly({
      enabled: { type: 'boolean' },
      schemata: { type: 'boolean' },
      monitoring: { type: 'boolean' },
    }),
    mountExtensions: exactly({ idmap: enabled }),
    memoryPolicy: exactly({ modes: strings, flags: strings }),
    netDevices: enabled,
  }),
})

describe('features', () => {
  it("is the specification's structure", () => {
    const validate = new Ajv({ strict: false }).compile(SCHEMA)
    expect(validate(features()) ? [] : validate.errors).toEqual([])
  })

  it('lists what is built and nothing else', () => {
    const { hooks, mountOptions, linux } = features()
    expect(hooks).toHaveLength(6)
    expect(mountOptions).toEqual(expect.arrayContaining(['rro', 'rbind', 'tmpcopyup', 'nosymfollow', 'ridmap']))
    expect(linux.mountExtensions.idmap.enabled).toBe(true)
    expect(linux.seccomp.archs).toContain('SCMP_ARCH_X86_64')
    expect(linux.seccomp.actions).toContain('SCMP_ACT_NOTIFY')
    expect(linux.seccomp.supportedFlags).toEqual(linux.seccomp.knownFlags)
    expect(linux.cgroup).toMatchObject({ v1: true, v2: true, systemd: true, systemdUser: true })
  })
})
