import { describe, expect, it } from 'vitest'
import type { HostFacts } from '../host/facts'
import type { Mount, NamespaceType, Spec } from '../spec/types'
import { BASE, FACTS_V1, FACTS_V2, OPTIONS, USER_NAMESPACE, withLinux } from './fixtures'
import type { Op } from './ops'
import { resolvePlan } from './resolve'

const CGROUPS: Mount = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'rw'] }

const noSeccomp = (): never => {
  throw new Error('there is no filter')
}

/** What the plan gives away, in the order of `create`. */
const owners = (spec: Spec, facts: HostFacts = FACTS_V2): readonly Op[] =>
  resolvePlan(spec, OPTIONS, facts, noSeccomp).plan.create.filter(({ kind }) => kind === 'chownCgroup')

const namespaces = (...types: readonly NamespaceType[]) => types.map((type) => ({ type }))

const spec = (
  uid: number,
  mounts: readonly Mount[] = [CGROUPS],
  types: readonly NamespaceType[] = ['cgroup'],
): Spec => ({
  ...withLinux({ namespaces: [...namespaces('pid', 'mount'), ...namespaces(...types)] }),
  process: { ...BASE.process, cwd: '/', args: ['a'], user: { uid, gid: 0 } },
  mounts: [...mounts],
})

describe('config-linux.md "Cgroup ownership"', () => {
  it('goes to the user of the process, once init has its maps', () => {
    const [owner] = owners(spec(1000))
    expect(owner).toMatchObject({ path: '/sys/fs/cgroup/c1', uid: 1000, pointer: '/process/user/uid' })
    const mapped = { ...spec(0), linux: { ...USER_NAMESPACE.linux, namespaces: namespaces('user', 'mount', 'cgroup') } }
    const { create } = resolvePlan(mapped, OPTIONS, FACTS_V2, noSeccomp).plan
    const order = create.map(({ kind }) => kind)
    expect(order.indexOf('chownCgroup')).toBeGreaterThan(order.indexOf('writeIdMaps'))
    expect(order.indexOf('chownCgroup')).toBeLessThan(order.indexOf('releaseInit'))
  })

  it('a mount of type cgroup2 is as good', () => {
    expect(owners(spec(1000, [{ ...CGROUPS, type: 'cgroup2' }]))).toHaveLength(1)
  })

  it.each<[string, Spec, HostFacts?]>([
    ['v1', spec(1000), FACTS_V1],
    ['the cgroup namespace of the host', spec(1000, [CGROUPS], [])],
    ['root of the host', spec(0)],
    ['a read-only mount', spec(1000, [{ ...CGROUPS, options: ['ro'] }])],
    ['no mount', spec(1000, [])],
    ['a mount elsewhere', spec(1000, [{ ...CGROUPS, destination: '/cgroup' }])],
    ['a bind mount', spec(1000, [{ ...CGROUPS, source: '/x', options: ['bind', 'rw'] }])],
    ['a mount that hides it', spec(1000, [CGROUPS, { destination: '/sys/fs', type: 'tmpfs', source: 'tmpfs' }])],
    ['a mount that replaces it', spec(1000, [CGROUPS, { ...CGROUPS, options: ['ro'] }])],
  ])('stays with the host: %s', (_why, config, facts) => {
    expect(owners(config, facts)).toEqual([])
  })

  it('stays with the host: a path that is made read-only', () => {
    const config = spec(1000)
    expect(owners({ ...config, linux: { ...config.linux, readonlyPaths: ['/sys/fs/cgroup'] } })).toEqual([])
  })
})
