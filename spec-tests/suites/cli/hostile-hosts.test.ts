// Hosts that do not give what a runtime needs: a full disk, cgroups that cannot be written or stand still; and a
// container that does not want to end.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  cgroupDirectory,
  cgroupVersion,
  deepEqual,
  equal,
  expectStatus,
  leftSoFar,
  match,
  ok,
  plansCold,
  requires,
  requiresController,
  sandbox,
  test,
} from '../../lib'

const OURS = { only: ['tsrunc'], timeout: 120_000 } as const

const idle = (change: Parameters<typeof bundle>[0] = () => undefined): Promise<Bundle> =>
  bundle((c, b) => {
    c.process.args = ['/bin/probe', 'pause']
    change(c, b)
  })

/** Leaves so many pages of a small file system. */
const fill = (root: string, pages: number): void => {
  rmSync(join(root, '~fill'), { force: true })
  const { bavail, bsize } = statfsSync(root)
  writeFileSync(join(root, '~fill'), Buffer.alloc(Math.max(0, bavail - pages) * bsize))
}

test('disk: a create that finds it full leaves nothing, and the next one comes through', OURS, async () => {
  requires('root')
  // A planner would have no room for its socket.
  plansCold()
  const { root } = sandbox().marks
  mkdirSync(root, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'small', root])
  sandbox().undo.push(() => execFileSync('umount', ['-l', root]))
  const b = await idle()
  let refused = 0
  let created = 0
  for (let pages = 0; created < 2; pages += 1) {
    fill(root, pages)
    const { status, stderr } = await b.tryCreate()
    if (status === 0) {
      created += 1
      fill(root, 0)
      // What is there can be used and taken away.
      equal((await b.state()).status, 'created')
      await b.start()
      expectStatus(await b.tryExec({}, '/bin/probe', 'echo', 'x'))
      await b.delete({ flags: ['--force'] })
    } else {
      refused += 1
      match(stderr, new RegExp(`${b.id}(.|\n)*ENOSPC`), `${pages} pages`)
    }
    deepEqual(
      readdirSync(root).filter((name) => !name.startsWith('~')),
      [],
      `${pages} pages`,
    )
    ok(pages < 100)
  }
  ok(refused > 2, `${refused} refused`)
})

/** With every hierarchy of cgroups mounted read-only. */
const READ_ONLY = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `grep -E '^[^ ]+ [^ ]+ cgroup2? ' /proc/self/mounts | while read -r _ target _; do mount -o remount,bind,ro "$target"; done; exec "$@"`,
  'sh',
]

test(
  'cgroups: where they cannot be written create says so, and delete leaves the container to be deleted',
  OURS,
  async () => {
    requires('root')
    const b = await idle((c) => {
      c.linux.resources = { pids: { limit: 20 } }
    })
    const refused = await b.tryCreate({ within: READ_ONLY })
    equal(refused.status, 1)
    match(refused.stderr, new RegExp(`cgroup\\S*/${b.id}(.|\n)*(EROFS|read-only|Read-only)`))
    deepEqual(await leftSoFar(), [])
    await b.create()
    const kept = await b.tryCall('delete', { flags: ['--force'], within: READ_ONLY })
    equal(kept.status, 1)
    match(kept.stderr, new RegExp(`cgroup\\S*/${b.id}(.|\n)*EROFS`))
    equal((await b.state()).status, 'stopped')
    await b.delete()
    deepEqual(await leftSoFar(), [])
  },
)

test('cgroups: a frozen one above the container is named by what waits for it', OURS, async () => {
  requires('root')
  if (cgroupVersion() === 1) requiresController('freezer')
  const parent = cgroupDirectory(cgroupVersion() === 1 ? 'freezer' : 'pids', '/')
  const [file, frozen, thawed] =
    cgroupVersion() === 1 ? ['freezer.state', 'FROZEN', 'THAWED'] : ['cgroup.freeze', '1', '0']
  const b = await idle((c, bundle) => {
    c.linux.cgroupsPath = `/${bundle.id}/inner`
  })
  await b.create()
  await b.start()
  writeFileSync(join(parent, b.id, file), frozen)
  await b.reaches('paused')
  const exec = await b.tryExec({}, '/bin/probe', 'echo', 'x')
  equal(exec.status, 255)
  match(exec.stderr, /paused/)
  const c = await idle((config) => {
    config.linux.cgroupsPath = `/${b.id}/other`
  })
  const created = await c.tryCreate({ timeout: 60_000 })
  equal(created.status, 1)
  match(created.stderr, /init stands still for 10 s: its cgroup, or one above it, is frozen/)
  await b.kill('KILL')
  if (cgroupVersion() === 1) {
    // SIGKILL waits for the freezer of v1.
    for (const container of [b, c]) {
      const { status, stderr } = await container.tryCall('delete', { flags: ['--force'], timeout: 60_000 })
      equal(status, 1)
      match(stderr, new RegExp(`${b.id}/\\w+/freezer.state"?: a cgroup above the container's is frozen`))
    }
  }
  writeFileSync(join(parent, b.id, file), thawed)
  // The cgroup above was made by the first one.
  for (const container of [c, b]) expectStatus(await container.tryCall('delete', { flags: ['--force'] }))
  deepEqual(await leftSoFar(), [])
})

test('delete: a container that forks as fast as it can is ended and taken away', OURS, async () => {
  requires('root')
  for (const hasPidNamespace of [true, false]) {
    for (const verb of ['delete --force', 'kill']) {
      const b = await idle((c) => {
        c.linux.resources = { pids: { limit: 64 } }
        if (!hasPidNamespace) c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'pid')
      })
      b.command(['scatter', '8'], ['echo', 'scattered'], ['pause'])
      await b.create()
      await b.start()
      await b.line(/scattered/)
      if (verb === 'kill') {
        await b.kill('KILL')
        await b.reaches('stopped')
        await b.delete()
      } else {
        await b.delete({ flags: ['--force'] })
      }
      deepEqual(await leftSoFar(), [], `${verb}, ${hasPidNamespace}`)
    }
  }
})
