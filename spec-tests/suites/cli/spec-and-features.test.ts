// `spec`, `features`, --version, --help.
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, callRuntime, deepEqual, equal, match, notEqual, ok, scratch, test } from '../../lib'

test('spec: writes a config.json that runs', async () => {
  const b = await bundle()
  const path = scratch('written')
  mkdirSync(path)
  equal((await callRuntime(['spec', '--bundle', path])).status, 0)
  const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as typeof b.config
  equal(config.process.terminal, true)
  equal(config.process.args[0], 'sh')
  Object.assign(b.config, config, {
    process: { ...config.process, terminal: false, args: ['/bin/probe', 'report'] },
    linux: { ...config.linux, cgroupsPath: `/${b.id}` },
  })
  b.save()
  match((await b.run()).stdout, /"pid":1/)
})

test('spec: in the current directory, and not over a file that is there', async () => {
  const path = scratch('written')
  mkdirSync(path)
  equal((await callRuntime(['spec'], { cwd: path })).status, 0)
  ok(statSync(join(path, 'config.json')).size > 100)
  const again = await callRuntime(['spec'], { cwd: path })
  equal(again.status, 1)
  match(again.stderr, /exist/i)
})

test('spec --rootless: a user namespace and no cgroup limits', {
  peers: { crun: 'with a network namespace' },
}, async () => {
  const path = scratch('written')
  mkdirSync(path)
  equal((await callRuntime(['spec', '--rootless'], { cwd: path })).status, 0)
  const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as {
    linux: { namespaces: { type: string }[]; uidMappings: unknown[]; resources?: unknown }
  }
  ok(config.linux.namespaces.some((namespace) => namespace.type === 'user'))
  ok(!config.linux.namespaces.some((namespace) => namespace.type === 'network'))
  equal(config.linux.uidMappings.length, 1)
})

test('features.md [FEA-1a]: the structure', { peers: { crun: 'not in 1.8' } }, async () => {
  const outcome = await callRuntime(['features'])
  equal(outcome.status, 0, outcome.stderr)
  const features = JSON.parse(outcome.stdout) as {
    ociVersionMin: string
    ociVersionMax: string
    hooks: string[]
    mountOptions: string[]
    linux: {
      namespaces: string[]
      capabilities: string[]
      cgroup: Record<string, boolean>
      seccomp: { enabled: boolean; actions: string[] }
    }
  }
  match(features.ociVersionMin, /^1\./)
  match(features.ociVersionMax, /^1\./)
  deepEqual(features.hooks.toSorted(), [
    'createContainer',
    'createRuntime',
    'poststart',
    'poststop',
    'prestart',
    'startContainer',
  ])
  for (const option of ['ro', 'rbind', 'nosuid', 'rslave', 'rro']) {
    ok(features.mountOptions.includes(option), option)
  }
  for (const namespace of ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup']) {
    ok(features.linux.namespaces.includes(namespace), namespace)
  }
  ok(features.linux.capabilities.includes('CAP_SYS_ADMIN'))
  equal(features.linux.cgroup['v1'], true)
  equal(features.linux.cgroup['v2'], true)
  equal(features.linux.seccomp.enabled, true)
  ok(features.linux.seccomp.actions.includes('SCMP_ACT_ERRNO'))
})

for (const flag of ['--version', '-v']) {
  test(`${flag}: name, version and version of the specification`, async () => {
    const { stdout, status } = await callRuntime([flag])
    equal(status, 0)
    match(stdout, /^\w+ version \S+/)
    match(stdout, /^spec: 1\.\d+\.\d+/m)
  })
}

test('version, in whatever way it is asked for', { only: ['tsrunc'] }, async () => {
  const { stdout } = await callRuntime(['--version'])
  match(stdout, /^tsrunc version \d+\.\d+\.\d+\n(commit: [0-9a-f]{40}\n)?spec: \d+\.\d+\.\d+\n$/)
  for (const args of [
    ['version'],
    ['--debug', 'version'],
    ['--debug=true', '-v'],
    ['create', '--version'],
    ['-v', 'list'],
  ]) {
    const outcome = await callRuntime(args)
    deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, stdout, ''], args.join(' '))
  }
})

test('version: without node, a PATH or an environment', { only: ['tsrunc'] }, async () => {
  const { status, stdout } = await callRuntime(['--version'], { env: {} })
  equal(status, 0)
  match(stdout, /^tsrunc version/)
})

test('--help: names the verbs', async () => {
  const { stdout, status } = await callRuntime(['--help'])
  equal(status, 0)
  for (const verb of ['create', 'start', 'run', 'state', 'kill', 'delete', 'list', 'spec']) {
    match(stdout, new RegExp(`\\b${verb}\\b`))
  }
})

test('an unknown verb, an unknown flag, a missing argument', async () => {
  const b = await bundle()
  for (const args of [['nonsense'], ['--nonsense'], ['create', '--nonsense', b.id], ['delete'], ['state', 'a', 'b']]) {
    const outcome = await callRuntime(args)
    notEqual(outcome.status, 0, args.join(' '))
  }
})
