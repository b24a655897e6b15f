import { readFileSync, readlinkSync } from 'node:fs'
import { machine } from 'node:os'
import { describe, expect, it } from 'vitest'
import { hugepageName, probeHost } from './probe'

const NOTHING = {
  namespacePaths: [],
  hugepages: false,
  blockIOWeights: false,
  longTexts: false,
  apparmor: false,
  selinux: false,
}

describe('probeHost', () => {
  it('sees this host', () => {
    const facts = probeHost(NOTHING)
    expect(facts.machine).toBe(machine())
    expect(facts.euid).toBe(process.geteuid?.())
    expect(facts.lastCapability).toBe(Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')))
    expect(facts.namespaces).toEqual({})
    expect(facts.hugepageSizes).toEqual([])
  })

  it('tells a namespace by its path, and leaves out what cannot be read', () => {
    const own = `/proc/${process.pid}/ns/uts`
    const paths = [own, '/nonexistent/ns', '/proc/cpuinfo/ns']
    const { namespaces } = probeHost({ ...NOTHING, namespacePaths: paths })
    expect(namespaces[own]).toBe(namespaces['uts'])
    expect(namespaces['net']).toContain(/\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/net'))?.[1])
    expect(Object.keys(namespaces)).not.toContain('/nonexistent/ns')
    expect(Object.keys(namespaces)).not.toContain('/proc/cpuinfo/ns')
  })
})

describe('hugepageName', () => {
  it.each([
    ['hugepages-64kB', '64KB'],
    ['hugepages-2048kB', '2MB'],
    ['hugepages-1048576kB', '1GB'],
    ['hugepages-16777216kB', '16GB'],
    ['other', undefined],
  ])('%s is %s', (directory, name) => {
    expect(hugepageName(directory)).toBe(name)
  })
})
