// An unprivileged user to whom a cgroup of v2 was delegated by file (cgroups(7) "Cgroups delegation").
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  type Config,
  deepEqual,
  equal,
  eventually,
  expectStatus,
  launchRuntime,
  match,
  readCgroup,
  requires,
  sandbox,
  type TestOptions,
  test,
} from '../../lib'
import { USER } from '../../lib/unprivileged'
import { made } from './made'

const TREE = '/sys/fs/cgroup'
const HERE: TestOptions = { only: ['tsrunc'] }

const ENTER = 'echo $$ >"$1" && shift && exec "$@"'

const enable = (directory: string, names: readonly string[], sign: '+' | '-'): void =>
  writeFileSync(join(directory, 'cgroup.subtree_control'), names.map((name) => `${sign}${name}`).join(' '))

/** A cgroup of the user that has these controllers and no others, with one in it that the user calls from. */
const delegate = (controllers: readonly string[]): string => {
  const enabled = readFileSync(join(TREE, 'cgroup.subtree_control'), 'utf8').trim().split(' ')
  const missing = controllers.filter((name) => !enabled.includes(name))
  enable(TREE, missing, '+')
  const above = `/${sandbox().tag}`
  const path = join(above, 'user')
  const caller = join(path, 'caller')
  mkdirSync(join(TREE, above))
  enable(join(TREE, above), controllers, '+')
  mkdirSync(join(TREE, caller), { recursive: true })
  for (const directory of [path, caller]) {
    for (const file of ['', 'cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control']) {
      chownSync(join(TREE, directory, file), USER.uid, USER.gid)
    }
  }
  sandbox().undo.push(() => {
    for (const directory of [caller, path, above]) rmdirSync(join(TREE, directory))
    enable(TREE, missing, '-')
  })
  return path
}

const delegated = async (controllers: readonly string[], change?: (c: Config) => void): Promise<[Bundle, string]> => {
  requires('cgroup-v2')
  const b = await made(change)
  const path = delegate(controllers)
  const { caller } = sandbox()
  if (caller === undefined) throw new Error('nobody calls')
  const within = ['sh', '-c', ENTER, 'enter', join(TREE, path, 'caller/cgroup.procs'), ...caller.within]
  sandbox().caller = { ...caller, within }
  return [b, path]
}

test('an unprivileged user sets limits in the cgroup that was delegated to it', async () => {
  const [b, path] = await delegated(['memory', 'pids', 'cpu'], (c) => {
    c.linux.resources = { memory: { limit: 67_108_864 }, pids: { limit: 33 }, cpu: { quota: 20_000, period: 100_000 } }
  })
  await b.startIdle()
  const cgroup = join(path, b.id)
  deepEqual(
    ['memory.max', 'pids.max', 'cpu.max'].map((file) => readCgroup('memory', cgroup, file)),
    ['67108864', '33', '20000 100000'],
  )
  const [own] = await b.exec({}, ['read', '/proc/1/cgroup'])
  match(own.data, /^0::\//m)
  await b.tryCall('delete', { flags: ['--force'] })
  equal(existsSync(join(TREE, cgroup)), false)
})

test('an unprivileged user pauses, resumes, lists, updates and watches in a delegated cgroup', HERE, async () => {
  const [b, path] = await delegated(['memory', 'pids'], (c) => {
    c.linux.resources = { pids: { limit: 33 } }
  })
  const { pid } = await b.startIdle()
  expectStatus(await b.tryCall('pause'))
  equal((await b.state()).status, 'paused')
  expectStatus(await b.tryCall('resume'))
  equal((await b.state()).status, 'running')
  equal(expectStatus(await b.tryCall('ps', { flags: ['--format', 'json'] })).stdout.trim(), `[${pid}]`)
  expectStatus(await b.tryCall('update', { flags: ['--pids-limit', '20', '--memory', '52428800'] }))
  deepEqual(
    ['memory.max', 'pids.max'].map((file) => readCgroup('memory', join(path, b.id), file)),
    ['52428800', '20'],
  )
  match(expectStatus(await b.tryCall('events', { flags: ['--stats'] })).stdout, /"pids":\{"current":1,"limit":20\}/)
  expectStatus(await b.tryCall('kill', {}, 'KILL'))
  await b.reaches('stopped')
})

test('an unprivileged user is told of a program that the kernel kills for want of memory', HERE, async () => {
  const [b] = await delegated(['memory'], (c) => {
    c.linux.resources = { memory: { limit: 32 << 20, swap: 32 << 20 } }
  })
  b.command(['await', '/go'], ['memory', String(256 << 20)], ['sleep', '60'])
  await b.create()
  await b.start()
  const events = launchRuntime(['events', '--interval', '200ms', b.id])
  const types = (): readonly string[] =>
    [...events.stdout().matchAll(/^\{"type":"(\w+)"/gm)].map(([, type = '']) => type)
  // By then it watches.
  await eventually('statistics', () => types().includes('stats'))
  b.file('go', '')
  await eventually('an event', () => types().includes('oom'))
  await b.kill('KILL')
  await b.reaches('stopped')
  await b.delete()
  const { status, stderr } = await events.exited
  deepEqual([status, stderr], [0, ''])
})

test('a controller that was not delegated is named, with what delegates it', HERE, async () => {
  const [b] = await delegated(['pids'], (c) => {
    c.linux.resources = { memory: { limit: 67_108_864 } }
  })
  const said = await b.refused(/memory/)
  match(said, /Delegate=/)
  match(said, /\/linux\/resources\/memory\/limit/)
})
