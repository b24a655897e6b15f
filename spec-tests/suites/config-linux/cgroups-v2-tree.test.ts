// cgroup v2: where the container is, what its ancestors give it, how it is stopped and removed.
import { existsSync, mkdirSync, readFileSync, rmdirSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  cgroupDirectory,
  cgroupsNamed,
  deepEqual,
  equal,
  eventually,
  hierarchyOf,
  includes,
  isAlive,
  launch,
  match,
  ok,
  requires,
  requiresThat,
  runtime,
  sandbox,
  scratch,
  test,
  uniqueName,
} from '../../lib'

const MOUNT = (): string => hierarchyOf('pids')?.mount ?? '/sys/fs/cgroup'

const words = (directory: string, file: string): string[] =>
  readFileSync(join(directory, file), 'utf8')
    .split(/\s+/)
    .filter((word) => word !== '')

const pidsOf = (directory: string): string[] => words(directory, 'cgroup.procs')

/** A container of several processes that runs. */
const running = async (change: (b: Bundle) => void = () => undefined): Promise<Bundle> => {
  requires('cgroup-v2')
  const b = await bundle((_, made) => change(made))
  b.command(['daemon'], ['daemon'], ['sleep', '60'])
  await b.create()
  await b.start()
  await eventually('its processes', () => pidsOf(cgroupDirectory('pids', b.id)).length === 3)
  return b
}

test('config-linux.md#control-groups [CG-14]: controllers that engines read are enabled, wanted or not', async () => {
  requires('cgroup-v2')
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const usual = ['cpuset', 'cpu', 'io', 'memory', 'pids']
  const here = words(cgroupDirectory('pids', b.id), 'cgroup.controllers')
  for (const controller of words(MOUNT(), 'cgroup.controllers').filter((name) => usual.includes(name))) {
    includes(here, controller)
  }
})

test('config-linux.md#cgroups-path [CG-1a CG-12a]: each directory above gives on the controllers that a limit needs', async () => {
  requires('cgroup-v2')
  const b = await bundle((c, b) => {
    sandbox().cgroupParents.push(`/${b.id}`, `/${b.id}/middle`)
    c.linux.cgroupsPath = `/${b.id}/middle/leaf`
    c.linux.resources.pids = { limit: 33 }
    c.linux.resources.memory = { limit: 64 << 20 }
  })
  b.command(['sleep', '30'])
  await b.create()
  for (const path of [b.id, `${b.id}/middle`]) {
    const given = words(cgroupDirectory('pids', path), 'cgroup.subtree_control')
    ok(given.includes('pids') && given.includes('memory'), `${path}: ${given}`)
  }
  // "No internal processes": only the lowest has any.
  deepEqual(words(cgroupDirectory('pids', `${b.id}/middle/leaf`), 'cgroup.subtree_control'), [])
  equal(words(cgroupDirectory('pids', `${b.id}/middle/leaf`), 'pids.max')[0], '33')
})

test('config-linux.md#control-groups [CG-13b]: a directory above that holds processes cannot give on a controller: an error, and nothing is left', {
  peers: { runc: 'leaves its directory', crun: 'leaves its directory' },
  sometimes: true,
}, async () => {
  requires('cgroup-v2')
  const parent = join(MOUNT(), uniqueName())
  mkdirSync(parent)
  const other = launch(['sleep', '60'])
  writeFileSync(join(parent, 'cgroup.procs'), String(await other.pid))
  const b = await bundle((c) => {
    c.linux.cgroupsPath = `${parent.slice(MOUNT().length)}/leaf`
    c.linux.resources.memory = { limit: 64 << 20 }
  })
  const message = await b.refused(/\/linux\/resources\/memory\/limit/)
  if (runtime().quirks.tellsStories) {
    match(message, /memory/)
    match(message, /holds processes/)
  }
  deepEqual([existsSync(join(parent, 'leaf')), pidsOf(parent).length], [false, 1])
  await other.kill('SIGKILL')
  await other.exited
  await eventually('the cgroup to be empty', () => pidsOf(parent).length === 0)
  rmdirSync(parent)
})

test('config-linux.md#control-groups [CG-1a]: the container is in its cgroup from its first instruction', async () => {
  requires('cgroup-v2', 'busybox')
  const seen = scratch('seen')
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'cgroup')
    c.hooks = {
      createContainer: [{ path: '/bin/busybox', args: ['sh', '-c', `/bin/busybox cat /proc/self/cgroup >${seen}`] }],
    }
  })
  const report = await b.report()
  deepEqual([readFileSync(seen, 'utf8').trim(), report.cgroup.trim()], [`0::/${b.id}`, `0::/${b.id}`])
})

test('config-linux.md#namespaces [NS-1a]: in a cgroup namespace of its own the container is at the root', async () => {
  requires('cgroup-v2', 'cgroupns')
  const b = await bundle((c) => {
    c.linux.namespaces = [...c.linux.namespaces.filter(({ type }) => type !== 'cgroup'), { type: 'cgroup' }]
  })
  equal((await b.report()).cgroup.trim(), '0::/')
})

test('config-linux.md#control-groups [CG-2]: a frozen cgroup is refused, not waited for', {
  peers: { crun: 'waits', runc: 'a warning in the first versions of 1.1' },
  sometimes: true,
}, async () => {
  requires('cgroup-v2')
  const b = await bundle()
  const directory = cgroupDirectory('pids', b.id)
  mkdirSync(directory)
  writeFileSync(join(directory, 'cgroup.freeze'), '1')
  try {
    await b.refused(/frozen/, { timeout: 8_000 })
  } finally {
    if (existsSync(directory)) writeFileSync(join(directory, 'cgroup.freeze'), '0')
  }
  rmdirSync(directory)
})

test('runtime.md#state [OP-1b]: a frozen container is paused, and runs again when it is thawed', {
  peers: { crun: 'says running in some versions' },
  sometimes: true,
}, async () => {
  const b = await running()
  const directory = cgroupDirectory('pids', b.id)
  writeFileSync(join(directory, 'cgroup.freeze'), '1')
  await eventually('the freeze', () => readFileSync(join(directory, 'cgroup.events'), 'utf8').includes('frozen 1'))
  equal((await b.state()).status, 'paused')
  writeFileSync(join(directory, 'cgroup.freeze'), '0')
  equal((await b.reaches('running')).status, 'running')
})

test('runtime.md#delete [OP-5b]: delete --force ends a container that is frozen', async () => {
  const b = await running()
  const pids = pidsOf(cgroupDirectory('pids', b.id)).map(Number)
  writeFileSync(join(cgroupDirectory('pids', b.id), 'cgroup.freeze'), '1')
  await b.delete({ flags: ['--force'] })
  deepEqual([pids.filter(isAlive), cgroupsNamed(b.id)], [[], []])
})

test('delete --force ends every process, in cgroups that the container made below its own too', async () => {
  const b = await running((made) => {
    made.config.linux.namespaces = made.config.linux.namespaces.filter(({ type }) => type !== 'pid')
  })
  const directory = cgroupDirectory('pids', b.id)
  const below = join(directory, 'child', 'grandchild')
  mkdirSync(below, { recursive: true })
  const [first = '', ...others] = pidsOf(directory)
  const moved = others.at(-1) ?? first
  writeFileSync(join(below, 'cgroup.procs'), moved)
  includes(pidsOf(below), moved)
  await b.delete({ flags: ['--force'] })
  deepEqual([[first, ...others].map(Number).filter(isAlive), cgroupsNamed(b.id)], [[], []])
})

test('kill --all reaches every process of the cgroup', async () => {
  const b = await running((made) => {
    made.config.linux.namespaces = made.config.linux.namespaces.filter(({ type }) => type !== 'pid')
  })
  const pids = pidsOf(cgroupDirectory('pids', b.id)).map(Number)
  equal((await b.tryCall('kill', { flags: ['--all'] }, 'KILL')).status, 0)
  await eventually('their end', () => !pids.some(isAlive))
})

test('kill --all is one write to cgroup.kill, from which no process forks away', {
  peers: { runc: 'in later versions', crun: 'in later versions' },
  sometimes: true,
}, async () => {
  requires('cgroup-v2')
  const b = await bundle()
  await b.startIdle()
  const file = join(MOUNT(), b.id, 'cgroup.kill')
  requiresThat(existsSync(file), 'cgroup.kill, which is of Linux 5.14')
  let writes = 0
  const watcher = watch(file, () => {
    writes += 1
  })
  sandbox().undo.push(() => watcher.close())
  equal((await b.tryCall('kill', { flags: ['--all'] }, 'KILL')).status, 0)
  await eventually('the write', () => writes > 0)
})
