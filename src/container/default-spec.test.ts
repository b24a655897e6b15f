import { describe, expect, it } from 'vitest'
import { loadSpec } from '../spec/load'
import { defaultSpec } from './default-spec'

const CALLER = { uid: 1000, gid: 100 }

const encode = (value: unknown) => Buffer.from(JSON.stringify(value))

describe('defaultSpec', () => {
  it.each([
    { rootless: false, unifiedCgroups: false },
    { rootless: false, unifiedCgroups: true },
    { rootless: true, unifiedCgroups: false },
    { rootless: true, unifiedCgroups: true },
  ])('is without fault or warning: %j', (options) => {
    const { warnings } = loadSpec(encode(defaultSpec({ ...options, ...CALLER })), { path: 'config.json' })
    expect(warnings).toEqual([])
  })

  it('maps root to a rootless caller and shares the network', () => {
    const { linux, mounts } = defaultSpec({ rootless: true, unifiedCgroups: false, ...CALLER })
    expect(linux?.uidMappings).toEqual([{ containerID: 0, hostID: 1000, size: 1 }])
    expect(linux?.gidMappings).toEqual([{ containerID: 0, hostID: 100, size: 1 }])
    expect(linux?.namespaces?.map(({ type }) => type)).toEqual(['pid', 'ipc', 'uts', 'mount', 'user'])
    expect(linux?.resources).toBeUndefined()
    expect(mounts?.find(({ destination }) => destination === '/sys')?.options).toContain('rbind')
  })
})
