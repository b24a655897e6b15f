// The systemd of a user: the scope of a container of somebody without privileges, and its limits, are made by the caller's own
// `systemd --user`.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  type Bundle,
  bundle,
  type Config,
  cgroupsNamed,
  deepEqual,
  equal,
  ok,
  readCgroup,
  requires,
  requiresThat,
  runtimeEnvironment,
  scratch,
  test,
} from '../../lib'
import { becomeSessionUser, SESSION_USER } from '../../lib/unprivileged'
import { cgroupOf, SYSTEMD, scopeOf } from './unit'

const RUNTIME_DIRECTORY = `/run/user/${SESSION_USER.uid}`
const MANAGER = `/user.slice/user-${SESSION_USER.uid}.slice/user@${SESSION_USER.uid}.service`

const systemctl = (...args: readonly string[]): string =>
  execFileSync('systemctl', ['--user', ...args], {
    uid: SESSION_USER.uid,
    gid: SESSION_USER.gid,
    env: { XDG_RUNTIME_DIR: RUNTIME_DIRECTORY, PATH: process.env['PATH'] ?? '' },
    encoding: 'utf8',
  }).trim()

const shown = (unit: string, name: string): string => systemctl('show', unit, `--property=${name}`, '--value')

const made = async (change: (config: Config) => void = () => undefined): Promise<Bundle> => {
  requires('root', 'systemd', 'cgroup-v2', 'userns')
  requiresThat(existsSync(`${RUNTIME_DIRECTORY}/systemd/private`), 'the systemd of a user')
  becomeSessionUser()
  return await bundle((c, b) => {
    c.linux.namespaces = [...c.linux.namespaces.filter(({ type }) => type !== 'network'), { type: 'user' }]
    c.linux.uidMappings = [{ containerID: 0, hostID: SESSION_USER.uid, size: 1 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: SESSION_USER.gid, size: 1 }]
    c.linux.cgroupsPath = `user.slice:test:${b.id}`
    c.linux.resources = { memory: { limit: 104_857_600 }, pids: { limit: 33 } }
    for (const mount of c.mounts) {
      if (mount.type === 'devpts') mount.options = mount.options?.filter((option) => option !== 'gid=5') ?? []
      if (mount.type === 'sysfs') {
        mount.type = 'none'
        mount.source = '/sys'
        mount.options = ['rbind', 'nosuid', 'noexec', 'nodev', 'ro']
      }
    }
    change(c)
  })
}

const running = async (b: Bundle, env = runtimeEnvironment()): Promise<number> => {
  b.command(['sleep', '600'])
  await b.create({ ...SYSTEMD, env })
  await b.start()
  return (await b.state()).pid
}

const nothingIsLeft = (b: Bundle): void => {
  equal(shown(scopeOf(b), 'LoadState'), 'not-found')
  deepEqual(cgroupsNamed(b.id), [])
}

test('an unprivileged container is a scope of the systemd of its user, with its limits', async () => {
  const b = await made()
  const cgroup = cgroupOf(await running(b))
  ok(cgroup.startsWith(`${MANAGER}/user.slice/${scopeOf(b)}`), cgroup)
  deepEqual([shown(scopeOf(b), 'ActiveState'), shown(scopeOf(b), 'MemoryMax')], ['active', '104857600'])
  const files = (): readonly string[] => ['memory.max', 'pids.max'].map((file) => readCgroup('memory', cgroup, file))
  deepEqual(files(), ['104857600', '33'])
  const { status, stderr } = await b.tryCall('update', { flags: ['--memory', '52428800', '--pids-limit', '20'] })
  equal(status, 0, stderr)
  deepEqual([shown(scopeOf(b), 'MemoryMax'), shown(scopeOf(b), 'TasksMax')], ['52428800', '20'])
  systemctl('daemon-reload')
  deepEqual(files(), ['52428800', '20'])
  await b.delete({ flags: ['--force'] })
  nothingIsLeft(b)
})

test('the systemd of a user is found by DBUS_SESSION_BUS_ADDRESS', async () => {
  const b = await made()
  const elsewhere = scratch('run')
  execFileSync('install', ['-d', '-o', String(SESSION_USER.uid), '-m', '700', elsewhere])
  const address = `unix:path=${RUNTIME_DIRECTORY}/bus`
  const env = { ...runtimeEnvironment(), XDG_RUNTIME_DIR: elsewhere, DBUS_SESSION_BUS_ADDRESS: address }
  ok(cgroupOf(await running(b, env)).includes(scopeOf(b)))
  await b.delete({ flags: ['--force'], env })
  nothingIsLeft(b)
})

test('a create of an unprivileged user that fails stops the unit', async () => {
  const b = await made((c) => {
    c.hooks = { createRuntime: [{ path: '/bin/false' }] }
  })
  await b.refused(/\/bin\/false/, SYSTEMD)
  nothingIsLeft(b)
})
