// config.md#linux-process, apparmorProfile.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  apparmorEnabled,
  type Bundle,
  bundle,
  deepEqual,
  equal,
  launch,
  loadProfile,
  ok,
  requires,
  requiresThat,
  runtime,
  sandbox,
  test,
} from '../../lib'

const COMMANDS = [
  ['read', '/proc/self/attr/current'],
  ['read', '/one'],
  ['read', '/two'],
] as const

const withProfile = (profile: string, noNewPrivileges = false): Promise<Bundle> =>
  bundle((c, b) => {
    b.file('one', '1')
    b.file('two', '2')
    c.root.readonly = false
    c.process.apparmorProfile = profile
    c.process.noNewPrivileges = noNewPrivileges
  })

/** The label without its mode, and what became of /one and /two. */
const seen = async (b: Bundle): Promise<readonly string[]> => {
  const [label, one, two] = await b.probe(...COMMANDS)
  return [label.data.trim(), one.error, two.error]
}

for (const noNewPrivileges of [false, true]) {
  const more = noNewPrivileges ? ', with noNewPrivileges too' : ''
  test(`config.md#linux-process [PRC-7a]: apparmorProfile confines the process${more}`, async () => {
    requires('root', 'apparmor')
    const profile = loadProfile('deny /one r,')
    deepEqual(await seen(await withProfile(profile, noNewPrivileges)), [`${profile} (enforce)`, 'EACCES', ''])
  })

  test(`config.md#linux-process [PRC-7a]: apparmorProfile may be a stack of profiles${more}`, async () => {
    requires('root', 'apparmor')
    const profiles = [loadProfile('deny /one r,'), loadProfile('deny /two r,')]
    const b = await withProfile(profiles.join('//&'), noNewPrivileges)
    deepEqual(await seen(b), [`${profiles.join('//&')} (enforce)`, 'EACCES', 'EACCES'])
  })
}

test('config.md#linux-process [PRC-7a]: without apparmorProfile, with an empty and with an unconfined one there is no confinement', async () => {
  requires('root', 'apparmor')
  for (const profile of ['', 'unconfined']) {
    deepEqual(await seen(await withProfile(profile)), ['unconfined', '', ''])
  }
  const b = await bundle((c) => delete c.process.apparmorProfile)
  const [label] = await b.probe(COMMANDS[0])
  equal(label.data.trim(), 'unconfined')
})

test('config.md#linux-process [PRC-7a]: apparmorProfile holds in a user namespace and for another user', async () => {
  requires('root', 'apparmor', 'userns')
  const profile = loadProfile('deny /one r,')
  const b = await withProfile(profile)
  b.config.linux.namespaces.push({ type: 'user' })
  b.config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
  b.config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
  b.config.process.user = { uid: 1234, gid: 1234 }
  deepEqual(await seen(b), [`${profile} (enforce)`, 'EACCES', ''])
})

test('config.md#linux-process [PRC-7a]: apparmorProfile is in force from the start on, for the program and for startContainer hooks', {
  peers: { crun: 'start does not wait for startContainer' },
  sometimes: true,
}, async () => {
  requires('root', 'apparmor', 'busybox')
  const profile = loadProfile('deny /one r,')
  const b = await withProfile(profile)
  addBusybox(b.rootfs)
  const outside = join(b.path, 'outside')
  b.config.hooks = {
    createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `cat /proc/self/attr/current > ${outside}`] }],
    startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'cat /proc/self/attr/current > /label; ! cat /one'] }],
  }
  const commands = [['read', '/label'], COMMANDS[0]] as const
  b.command(...commands)
  await b.create()
  await b.start()
  await b.reaches('stopped')
  const [hook, program] = b.answers(b.output(), commands)
  deepEqual([hook.data, program.data], [`${profile} (enforce)\n`, `${profile} (enforce)\n`])
  equal(readFileSync(outside, 'utf8'), 'unconfined\n')
})

/** The runtime itself in a profile, as in a snap or beneath another container. */
const runConfined = async (caller: string, b: Bundle): Promise<{ status: number; label: string; stderr: string }> => {
  b.command(COMMANDS[0])
  const box = sandbox()
  box.containers.add(b.id)
  const command = ['aa-exec', '-p', caller, '--', runtime().path, '--root', box.marks.root, 'run', '--bundle', b.path]
  const { status, stdout, stderr } = await launch([...command, b.id]).exited
  const label = status === 0 ? b.answers(stdout, [COMMANDS[0]])[0].data.trim() : ''
  return { status: status ?? -1, label, stderr }
}

test('config.md#linux-process [PRC-7a]: a runtime that is confined itself changes to the profile where its own allows it', async () => {
  requires('root', 'apparmor')
  const profile = loadProfile('deny /one r,')
  const { label, stderr } = await runConfined(loadProfile('change_profile,'), await withProfile(profile))
  equal(label, `${profile} (enforce)`, stderr)
})

test('config.md#linux-process [PRC-7a PRC-9]: with noNewPrivileges it stacks the profile on its own, all that the kernel allows', {
  peers: { runc: 'the program cannot be executed' },
}, async () => {
  requires('root', 'apparmor')
  const profile = loadProfile('deny /one r,')
  const caller = loadProfile('change_profile,')
  const { label, stderr } = await runConfined(caller, await withProfile(profile, true))
  deepEqual(
    label
      .replace(/ \(enforce\)$/, '')
      .split('//&')
      .sort(),
    [profile, caller].sort(),
    stderr,
  )
})

test('config.md#linux-process [PRC-7b]: where its own profile forbids the change, that is an error', async () => {
  requires('root', 'apparmor')
  const b = await withProfile(loadProfile(''))
  const { status, stderr } = await runConfined(loadProfile(''), b)
  ok(status !== 0)
  if (runtime().quirks.tellsStories) {
    ok(/change_profile.*EACCES.*\/process\/apparmorProfile/s.test(stderr), stderr)
  }
})

test('config.md#linux-process [PRC-7b]: a profile that is not loaded is an error of create', async () => {
  requires('root', 'apparmor')
  const b = await withProfile('no-such-profile')
  await b.refused(/"no-such-profile".*not loaded.*apparmor_parser.*ENOENT.*\/process\/apparmorProfile/s)
})

test('config.md#linux-process [PRC-7b]: a profile is an error where AppArmor is not enabled', async () => {
  requires('root')
  requiresThat(!apparmorEnabled(), 'a kernel without AppArmor')
  const b = await withProfile('docker-default')
  await b.refused(/AppArmor is not enabled.*\/process\/apparmorProfile/s)
})

test('config.md#linux-process [PRC-7a]: an empty profile asks for nothing where AppArmor is not enabled', {
  peers: { crun: 'refuses every profile' },
}, async () => {
  requires('root')
  requiresThat(!apparmorEnabled(), 'a kernel without AppArmor')
  await (await withProfile('')).run()
})

test('config.md#linux-process [PRC-7a]: unconfined is what every process is where AppArmor is not enabled', {
  peers: { runc: 'writes to a file that does not take it', crun: 'refuses every profile' },
}, async () => {
  requires('root')
  requiresThat(!apparmorEnabled(), 'a kernel without AppArmor')
  await (await withProfile('unconfined')).run()
})
