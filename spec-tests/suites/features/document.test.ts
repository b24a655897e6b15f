// features.md: the document as a whole, and its entries that are no list.
import { existsSync } from 'node:fs'
import Ajv from 'ajv'
import { bundle, callRuntime, deepEqual, equal, match, ok, requires, requiresThat, test } from '../../lib'
import { allProven, features, NO_FEATURES } from './document'
import { FEATURES_SCHEMA } from './schema'

test('features.md [FEA-1a]: the document has the form that the specification gives it', {
  peers: NO_FEATURES,
}, async () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(FEATURES_SCHEMA)
  validate(await features())
  deepEqual(validate.errors ?? [], [])
})

test('features.md [FEA-1a]: it is printed as one JSON object, with status 0 and nothing on the standard error', {
  peers: NO_FEATURES,
}, async () => {
  const { status, stdout, stderr } = await callRuntime(['features'])
  deepEqual([status, stderr], [0, ''])
  match(stdout, /^\{[\s\S]*\}\n$/)
})

test('features.md [FEA-2a]: the document does not depend on the caller', { peers: NO_FEATURES }, async () => {
  const { stdout } = await callRuntime(['features'])
  equal((await callRuntime(['--root', '/nowhere', 'features'], { cwd: '/' })).stdout, stdout)
})

const numbers = (version: string): number[] => version.split(/[.+-]/).slice(0, 3).map(Number)

test('features.md [FEA-1b]: ociVersionMax is not less than ociVersionMin', { peers: NO_FEATURES }, async () => {
  const { ociVersionMin, ociVersionMax } = await features()
  const order = numbers(ociVersionMin).map((number, index) => (numbers(ociVersionMax)[index] ?? 0) - number)
  ok((order.find((difference) => difference !== 0) ?? 0) >= 0, `${ociVersionMin}, ${ociVersionMax}`)
})

for (const name of ['ociVersionMin', 'ociVersionMax'] as const) {
  test(`features.md [FEA-1b]: the runtime MUST accept ${name} as ociVersion`, { peers: NO_FEATURES }, async () => {
    const { [name]: version } = await features()
    const b = await bundle((c) => {
      c.ociVersion = version
    })
    equal((await b.report()).pid, 1)
    doesNotWarn(b.errors())
  })
}

const doesNotWarn = (text: string): void => {
  ok(!/ociVersion/.test(text), text)
}

test('features.md [FEA-1c]: every hook that is listed is run', { peers: NO_FEATURES }, async () => {
  const { hooks } = await features()
  ok(hooks.length > 0)
  const b = await bundle((c, b) => {
    c.root.readonly = false
    c.hooks = Object.fromEntries(hooks.map((name) => [name, [b.hook(name as 'prestart', name)]]))
  })
  b.command(['sleep', '0.1'])
  await b.run()
  const run = b.hookLines().map(({ hook }) => hook)
  allProven(hooks, run)
})

test('features.md [FEA-1d]: versions of the runtime and of libseccomp', { only: ['tsrunc'] }, async () => {
  const { annotations = {} } = await features()
  const { stdout } = await callRuntime(['--version'])
  equal(`tsrunc version ${annotations['run.oci.tsrunc.version']}`, stdout.split('\n')[0])
  match(annotations['io.github.seccomp.libseccomp.version'] ?? '', /^\d+\.\d+\.\d+$/)
  match(annotations['run.oci.tsrunc.node.version'] ?? '', /^\d+\.\d+\.\d+$/)
  match(annotations['org.opencontainers.runc.checkpoint.enabled'] ?? '', /^(true|false)$/)
})

test('features-linux.md#cgroup [FEA-2a]: v1 means that limits are set there', { peers: NO_FEATURES }, async () => {
  requires('cgroup-v1')
  const { v1 } = (await features()).linux.cgroup
  equal(v1, true)
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 77 }
  })
  match((await b.report()).cgroup, new RegExp(`:[^:]*pids[^:]*:.*${b.id}`))
})

test('features-linux.md#cgroup [FEA-2a]: v2 means that limits are set there', { peers: NO_FEATURES }, async () => {
  requires('cgroup-v2')
  const { v2 } = (await features()).linux.cgroup
  equal(v2, true)
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 77 }
  })
  match((await b.report()).cgroup, new RegExp(`^0::.*${b.id}`, 'm'))
})

test('features-linux.md#cgroup [FEA-2a]: rdma means that limits of RDMA devices are set', {
  peers: { ...NO_FEATURES, runc: '1.1 does not list it' },
}, async () => {
  const { rdma } = (await features()).linux.cgroup
  equal(rdma, true)
  allProven(['rdma'], [], {
    rdma: { file: 'config-linux/cgroups-v2.test.ts', title: '[CG-11a]: hcaHandles and hcaObjects are the limits' },
  })
})

test('features-linux.md#cgroup [FEA-2a]: systemd makes cgroups, and is refused where it does not run', {
  only: ['tsrunc'],
}, async () => {
  const { systemd, systemdUser } = (await features()).linux.cgroup
  // systemd/user.test.ts calls the instance of a user.
  deepEqual([systemd, systemdUser], [true, true])
  requiresThat(!existsSync('/run/systemd/system'), 'a host without systemd')
  const b = await bundle()
  await b.refused(/systemd not running on this host, cannot use systemd cgroups manager/, {
    global: ['--systemd-cgroup'],
  })
})
