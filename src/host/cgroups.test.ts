import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CgroupSources, controllerDirectory, freshCgroupFiles, parseMemberships, probeCgroups } from './cgroups'
import { OWN_VIEW } from './view'

const TMPFS_MAGIC = 0x01021994
const CGROUP2_SUPER_MAGIC = 0x63677270

let root: string
let sources: CgroupSources

const viewOf = (self: string): CgroupSources['view'] => ({
  ...OWN_VIEW,
  ownText: (name: string) => readFileSync(join(self, name), 'utf8'),
})

/** Make files and, for names that end in a slash, directories. */
function make(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name)
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (!name.endsWith('/')) writeFileSync(path, text)
  }
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsrunc-test-'))
  const mountPoint = join(root, 'cgroup')
  sources = {
    mountPoint,
    view: viewOf(join(root, 'self')),
    proc: join(root, 'self'),
    fileSystemType: () => TMPFS_MAGIC,
  }
})

afterEach(() => rmSync(root, { recursive: true }))

describe('parseMemberships', () => {
  it('reads controllers and path, which may hold colons', () => {
    expect(parseMemberships('4:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/x\n')).toEqual([
      { controllers: ['cpu', 'cpuacct'], path: '/a:b' },
      { controllers: ['name=systemd'], path: '/' },
      { controllers: [], path: '/x' },
    ])
  })
})

describe('probeCgroups', () => {
  it("knows systemd's v1 layout: joined directories with links", () => {
    make({
      'self/cgroup': '5:cpu,cpuacct:/\n4:memory:/\n3:net_cls,net_prio:/\n1:name=systemd:/init.scope\n0::/init.scope\n',
      'cgroup/cpu,cpuacct/cgroup.procs': '',
      'cgroup/memory/cgroup.procs': '',
      'cgroup/net_cls,net_prio/cgroup.procs': '',
      'cgroup/systemd/cgroup.procs': '',
      'cgroup/unified/cgroup.procs': '',
    })
    symlinkSync('cpu,cpuacct', join(sources.mountPoint, 'cpu'))
    const facts = probeCgroups(sources)
    expect(facts).toEqual({
      version: 1,
      hierarchies: [
        { mountPoint: join(sources.mountPoint, 'cpu,cpuacct'), controllers: ['cpu', 'cpuacct'] },
        { mountPoint: join(sources.mountPoint, 'memory'), controllers: ['memory'] },
        { mountPoint: join(sources.mountPoint, 'net_cls,net_prio'), controllers: ['net_cls', 'net_prio'] },
        { mountPoint: join(sources.mountPoint, 'systemd'), controllers: ['name=systemd'] },
      ],
    })
    expect(controllerDirectory(facts, 'cpuacct')).toBe(join(sources.mountPoint, 'cpu,cpuacct'))
    expect(controllerDirectory(facts, 'rdma')).toBeUndefined()
  })

  it('leaves out a controller whose directory is not mounted, and finds one that is mounted elsewhere', () => {
    make({
      'self/cgroup': '9:hugetlb:/\n8:pids:/\n4:memory:/\n',
      'self/mountinfo':
        '22 1 0:20 / / rw - ext4 /dev/vda rw\n30 22 0:27 / /elsewhere rw,relatime shared:9 - cgroup cgroup rw,pids\n',
      'cgroup/hugetlb/': '',
      'cgroup/memory/cgroup.procs': '',
    })
    expect(probeCgroups(sources)).toEqual({
      version: 1,
      hierarchies: [
        { mountPoint: '/elsewhere', controllers: ['pids'] },
        { mountPoint: join(sources.mountPoint, 'memory'), controllers: ['memory'] },
      ],
    })
  })

  it('knows cgroup v2', () => {
    make({ 'self/cgroup': '0::/user.slice/a\n', 'cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n' })
    expect(probeCgroups({ ...sources, fileSystemType: () => CGROUP2_SUPER_MAGIC })).toEqual({
      version: 2,
      mountPoint: sources.mountPoint,
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
      own: '/user.slice/a',
    })
  })

  it('knows a host without cgroups', () => {
    expect(probeCgroups(sources)).toEqual({ version: 0 })
    make({ 'self/cgroup': '', 'cgroup/': '' })
    expect(probeCgroups(sources)).toEqual({ version: 0 })
  })
})

describe('freshCgroupFiles', () => {
  it('looks into a child for what the root does not show', () => {
    make({ 'cgroup/cgroup.procs': '', 'cgroup/a/io.bfq.weight': '', 'cgroup/a/cgroup.procs': '' })
    expect(freshCgroupFiles(sources.mountPoint)).toEqual(['cgroup.procs', 'io.bfq.weight'])
  })

  it('knows that the BFQ scheduler of v1 has a weight file in every child', () => {
    make({ 'cgroup/blkio.bfq.io_service_bytes': '' })
    expect(freshCgroupFiles(sources.mountPoint)).toContain('blkio.bfq.weight')
  })
})
