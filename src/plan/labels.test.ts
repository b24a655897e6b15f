import { describe, expect, test } from 'vitest'
import type { HostFacts } from '../host/facts'
import type { Mount, Spec } from '../spec/types'
import { BASE, FACTS_V1, FACTS_V2, resolve, withLinux, withProcess } from './fixtures'
import { splitData } from './mount-data'
import type { Op, OpKind } from './ops'

const LABEL = 'system_u:object_r:container_file_t:s0:c1,c2'
const SELINUX = { ...FACTS_V2, selinux: true }

const initOf = (spec: Spec, facts: HostFacts = SELINUX): readonly Op[] => resolve(spec, {}, facts).plan.init
const opsOf = <K extends OpKind>(ops: readonly Op[], kind: K) =>
  ops.filter((op): op is Extract<Op, { kind: K }> => op.kind === kind)
const labelled = (mount: Partial<Mount>, annotations = {}): Spec => ({
  ...withLinux({ mountLabel: LABEL }),
  annotations,
  mounts: [{ destination: '/m', source: 'm', ...mount }],
})

describe('mountLabel', () => {
  test.each(['tmpfs', 'devpts', 'ext4', 'overlay', 'ramfs'])('a mount of type %s has the label', (type) => {
    const [mount] = opsOf(initOf(labelled({ type, options: ['ro'] })), 'mountFs')
    expect(mount).toMatchObject({ options: [], label: `context=${LABEL}`, legacyData: `context="${LABEL}"` })
  })

  test.each(['proc', 'sysfs', 'cgroup', 'mqueue'])('a mount of type %s has none', (type) => {
    const init = initOf(labelled({ type }))
    expect(opsOf(init, 'mountFs').map(({ label }) => label)).toEqual([''])
    expect(opsOf(init, 'setFileLabel')).toHaveLength(type === 'mqueue' ? 1 : 0)
  })

  test('of cgroup v1 the tmpfs alone has it', () => {
    const mounts = opsOf(initOf(labelled({ type: 'cgroup' }), { ...FACTS_V1, selinux: true }), 'mountFs')
    const [tree, ...hierarchies] = mounts.map(({ fstype, label }) => [fstype, label !== ''])
    expect(tree).toEqual(['tmpfs', true])
    expect(new Set(hierarchies.map(String))).toEqual(new Set(['cgroup,false']))
  })

  test.each(['context', 'fscontext', 'defcontext', 'rootcontext'])('a mount with its own %s= keeps it', (option) => {
    const [mount] = opsOf(initOf(labelled({ type: 'tmpfs', options: [`${option}="u:r:t:s0:c3,c4"`] })), 'mountFs')
    expect(mount).toMatchObject({ options: [`${option}=u:r:t:s0:c3,c4`], label: '' })
    expect(mount?.legacyData).toBe(`${option}="u:r:t:s0:c3,c4"`)
  })

  test('the annotation of crun chooses the option', () => {
    const [mount] = opsOf(
      initOf(labelled({ type: 'tmpfs' }, { 'run.oci.mount_context_type': 'rootcontext' })),
      'mountFs',
    )
    expect(mount?.label).toBe(`rootcontext=${LABEL}`)
  })

  test('masks have it; without a label there is none', () => {
    const linux = { maskedPaths: ['/a'] }
    const masks = [withLinux({ ...linux, mountLabel: LABEL }), withLinux(linux)].flatMap((spec) =>
      opsOf(initOf(spec), 'maskPath'),
    )
    expect(masks.map(({ label }) => label)).toEqual([`context=${LABEL}`, ''])
  })
})

describe('labels of the process', () => {
  const at = (ops: readonly Op[], kind: OpKind): number => ops.findIndex((op) => op.kind === kind)

  test('are set after the hooks of the runtime, while the host’s procfs is at /proc', () => {
    const spec: Spec = {
      ...withProcess({ apparmorProfile: 'a//&b', selinuxLabel: 'u:r:t:s0', noNewPrivileges: true }),
      hooks: { createContainer: [{ path: '/h' }] },
    }
    const init = initOf(spec, { ...SELINUX, apparmor: 'unconfined' })
    expect(init[at(init, 'setApparmorProfile')]).toMatchObject({ command: 'exec a//&b' })
    expect(init[at(init, 'setSelinuxLabel')]).toMatchObject({ label: 'u:r:t:s0' })
    for (const kind of ['setApparmorProfile', 'setSelinuxLabel'] as const) {
      expect(at(init, kind)).toBeGreaterThan(at(init, 'runHook'))
      expect(at(init, kind)).toBeLessThan(at(init, 'pivotRoot'))
    }
  })

  test('the session keyring has the label of the process, later keys have none', () => {
    const kinds = initOf(withProcess({ selinuxLabel: 'u:r:t:s0' }))
      .filter(({ kind }) => kind === 'setKeyLabel' || kind === 'joinKeyring')
      .map((op) => (op.kind === 'setKeyLabel' ? op.label : op.kind))
    expect(kinds).toEqual(['u:r:t:s0', 'joinKeyring', ''])
  })

  test('"unconfined" is written where AppArmor is, and is nothing to do where it is not', () => {
    const spec = withProcess({ apparmorProfile: 'unconfined' })
    const count = (apparmor: HostFacts['apparmor']) =>
      opsOf(initOf(spec, { ...FACTS_V2, apparmor }), 'setApparmorProfile').length
    expect([count('unconfined'), count('off')]).toEqual([1, 0])
  })

  test.each([
    ['confined', true, 'stack p'],
    ['confined', false, 'exec p'],
    ['unconfined', true, 'exec p'],
  ] as const)('a caller that is %s, with no_new_privs %s: %s', (apparmor, noNewPrivileges, command) => {
    const init = initOf(withProcess({ apparmorProfile: 'p', noNewPrivileges }), { ...FACTS_V2, apparmor })
    expect(opsOf(init, 'setApparmorProfile')).toMatchObject([{ command }])
  })

  test('nothing is planned for nothing', () => {
    const kinds: readonly OpKind[] = ['setApparmorProfile', 'setSelinuxLabel', 'setKeyLabel', 'setFileLabel']
    expect(initOf(BASE).filter(({ kind }) => kinds.includes(kind))).toEqual([])
  })
})

test.each([
  ['size=1m', ['size=1m']],
  ['size=1m,mode=755', ['size=1m', 'mode=755']],
  ['mpol=bind:0,2', ['mpol=bind:0,2']],
  ['lowerdir=a\\,b,upperdir=c', ['lowerdir=a\\,b', 'upperdir=c']],
  ['context="u:r:t:s0:c1,c2",size=1m', ['context=u:r:t:s0:c1,c2', 'size=1m']],
  ['fscontext="u:r:t:s0"', ['fscontext=u:r:t:s0']],
  ['key="a,b"', ['key="a,b"']],
  ['a"b,c', ['a"b', 'c']],
  [',,', []],
])('the options of %s', (word, options) => {
  expect(splitData(word)).toEqual(options)
})
