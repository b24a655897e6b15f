// config-linux.md#control-groups: the path and what every version has in common.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bundle,
  cgroupDirectory,
  cgroupsNamed,
  cgroupVersion,
  deepEqual,
  equal,
  eventually,
  hierarchyOf,
  includes,
  launch,
  notEqual,
  ok,
  ownCgroup,
  requires,
  requiresController,
  sandbox,
  test,
  uniqueName,
} from '../../lib'

const MIB = 1 << 20

/** The cgroup of a process for one controller. */
const cgroupOf = (pid: number, controller: string): string => {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
  const line = lines.find((candidate) =>
    cgroupVersion() === 2
      ? candidate.startsWith('0::')
      : (candidate.split(':')[1] ?? '').split(',').includes(controller),
  )
  return line?.split(':')[2] ?? ''
}

test('config-linux.md#cgroups-path [CG-1a]: an absolute cgroupsPath is relative to the mount point of the cgroups', async () => {
  requiresController('pids')
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  equal(cgroupOf(pid, 'pids'), `/${b.id}`)
  includes(
    readFileSync(join(cgroupDirectory('pids', b.id), 'cgroup.procs'), 'utf8')
      .trim()
      .split('\n'),
    String(pid),
  )
})

test('config-linux.md#cgroups-path [CG-1a]: a path of several levels is created', async () => {
  requiresController('pids', 'memory')
  const b = await bundle((c, b) => {
    sandbox().cgroupParents.push(`/${b.id}`, `/${b.id}/middle`)
    c.linux.cgroupsPath = `/${b.id}/middle/leaf`
  })
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  for (const controller of ['pids', 'memory']) {
    equal(cgroupOf(pid, controller), `/${b.id}/middle/leaf`)
  }
})

test('config-linux.md#cgroups-path [CG-1b]: a relative path always leads to the same place', async () => {
  requiresController('pids')
  const name = uniqueName()
  const places: string[] = []
  for (let round = 0; round < 2; round++) {
    const b = await bundle((c) => {
      c.linux.cgroupsPath = name
    })
    b.command(['sleep', '30'])
    await b.create()
    places.push(cgroupOf((await b.state()).pid, 'pids'))
    await b.delete({ flags: ['--force'] })
  }
  equal(places[0], places[1])
  ok(places[0]?.endsWith(`/${name}`), places[0])
})

test('config-linux.md#cgroups-path [CG-1b]: without it the runtime chooses one that is not its own', async () => {
  requiresController('pids')
  const b = await bundle((c) => {
    delete c.linux.cgroupsPath
  })
  b.command(['sleep', '30'])
  await b.create()
  const path = cgroupOf((await b.state()).pid, 'pids')
  notEqual(path, ownCgroup('pids'))
  ok(path.includes(b.id), path)
})

test('config-linux.md#cgroups-path [CG-1b]: every controller that is mounted has the cgroup, so that limits can be set later', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  for (const controller of ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'].filter(
    hierarchyOf,
  )) {
    equal(cgroupOf(pid, controller), `/${b.id}`, controller)
  }
})

test('config-linux.md#cgroups-path [CG-1a]: a path that climbs stays below the mount point', async () => {
  const name = uniqueName()
  const b = await bundle((c) => {
    c.linux.cgroupsPath = `/../../../${name}`
  })
  const outcome = await b.tryCreate()
  if (outcome.status === 0) {
    equal(cgroupOf((await b.state()).pid, 'pids'), `/${name}`)
  }
})

/** Some runtimes remove a cgroup that they did not make. */
const removeLater = (directory: string): void => {
  sandbox().undo.push(() => {
    if (existsSync(directory)) {
      rmdirSync(directory)
    }
  })
}

const removes = { peers: { crun: 'removes it', runc: 'removes it' } }

test(
  'runtime.md#delete [OP-5b]: an existing empty cgroup is used and left, because create did not make it',
  removes,
  async () => {
    requiresController('pids')
    const b = await bundle()
    const directory = cgroupDirectory('pids', b.id)
    mkdirSync(directory)
    removeLater(directory)
    b.command(['sleep', '30'])
    await b.create()
    equal(cgroupOf((await b.state()).pid, 'pids'), `/${b.id}`)
    await b.delete()
    ok(existsSync(directory))
  },
)

test('config-linux.md#control-groups [CG-2]: a cgroup that is not empty is refused and left as it is', {
  peers: { runc: 'a warning in 1.1, refused since', crun: 'joins it' },
  sometimes: true,
}, async () => {
  requiresController('pids')
  const b = await bundle()
  const directory = cgroupDirectory('pids', b.id)
  const other = launch(['sleep', '60'])
  mkdirSync(directory)
  removeLater(directory)
  const pid = await other.pid
  sandbox().undo.push(() => {
    if (existsSync(`/proc/${pid}`)) {
      writeFileSync(join(directory, '..', 'cgroup.procs'), String(pid))
    }
  })
  writeFileSync(join(directory, 'cgroup.procs'), String(pid))
  await b.refused(/cgroup.*(empty|process)/i)
  equal(readFileSync(join(directory, 'cgroup.procs'), 'utf8').trim(), String(pid))
  await other.kill('SIGKILL')
  await other.exited
  await eventually('the cgroup to be empty', () => readFileSync(join(directory, 'cgroup.procs'), 'utf8') === '')
})

/** A file in memory is charged to the cgroup of whoever fills it, as long as it exists. */
const CHARGE = 'echo $$ >"$1/cgroup.procs" && exec head -c "$2" /dev/zero >"$3"'

test('config-linux.md#memory [CG-5h]: checkBeforeUpdate: a limit below what the cgroup uses is refused', {
  peers: { crun: 'leaves its cgroups behind on v1' },
  sometimes: true,
}, async () => {
  requires('root')
  requiresController('memory')
  const b = await bundle((c) => {
    c.linux.resources.memory = { limit: 8 * MIB, checkBeforeUpdate: true }
  })
  const directory = cgroupDirectory('memory', b.id)
  const file = `/dev/shm/${b.id}`
  mkdirSync(directory)
  removeLater(directory)
  sandbox().undo.push(() => rmSync(file, { force: true }))
  if (cgroupVersion() === 2) {
    writeFileSync(join(directory, '..', 'cgroup.subtree_control'), '+memory')
  }
  execFileSync('sh', ['-c', CHARGE, 'sh', directory, String(16 * MIB), file])
  await b.refused(/limit memory to 8388608 bytes[\s\S]*(uses|more than)/)
})

test('a frozen cgroup is refused, not waited for', {
  peers: { crun: 'waits' },
  timeout: 60_000,
}, async () => {
  requires('cgroup-v1')
  requiresController('freezer')
  const b = await bundle()
  const directory = cgroupDirectory('freezer', b.id)
  mkdirSync(directory)
  removeLater(directory)
  writeFileSync(join(directory, 'freezer.state'), 'FROZEN')
  try {
    await b.refused(/frozen|freezer/i, { timeout: 8_000 })
  } finally {
    if (existsSync(directory)) {
      writeFileSync(join(directory, 'freezer.state'), 'THAWED')
    }
  }
})

test('a cgroup made by create is gone after delete', async () => {
  const b = await bundle()
  await b.run()
  deepEqual(cgroupsNamed(b.id), [])
})

// runc and crun remove whatever is at the path.
test('a cgroup that was there before create is there after delete', { only: ['tsrunc'] }, async () => {
  requiresController('pids')
  const b = await bundle()
  const directory = cgroupDirectory('pids', b.id)
  mkdirSync(directory)
  sandbox().undo.push(() => rmdirSync(directory))
  await b.run()
  ok(existsSync(directory), `${directory} is gone`)
})

test('cgroups that the container made below its own are removed too', async () => {
  requires('cgroup-v1')
  requiresController('pids')
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  await b.start()
  mkdirSync(join(cgroupDirectory('pids', b.id), 'child', 'grandchild'), { recursive: true })
  await b.delete({ flags: ['--force'] })
  deepEqual(cgroupsNamed(b.id), [])
})

test('resources absent: no limit is set', async () => {
  requiresController('pids', 'memory')
  const b = await bundle((c) => {
    Object.assign(c.linux, { resources: undefined })
  })
  b.command(['sleep', '30'])
  await b.create()
  equal(readFileSync(join(cgroupDirectory('pids', b.id), 'pids.max'), 'utf8').trim(), 'max')
})
