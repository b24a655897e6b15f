// Where the runtime may be called from, and how its arguments may be written.
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  bundle,
  callRuntime,
  deepEqual,
  delay,
  equal,
  launch,
  match,
  requiresThat,
  runtime,
  type State,
  sandbox,
  scratch,
  test,
} from '../../lib'

test('an empty environment, another directory, no standard input', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  const env = {}
  await b.create({ env, cwd: '/' })
  await b.start({ env, cwd: '/' })
  equal((JSON.parse((await b.tryCall('state', { env, cwd: '/proc' })).stdout) as State).status, 'running')
  await b.kill('KILL', { env, cwd: '/' })
  await b.reaches('stopped')
  await b.delete({ env, cwd: '/' })
})

test('run in an empty environment', async () => {
  const b = await bundle((c) => {
    c.process.env = ['PATH=/bin', 'HOME=/']
  })
  b.command(['report'])
  const outcome = await b.run({ env: {}, cwd: '/' })
  const [report] = b.answers(outcome.stdout, [['report']])
  deepEqual(report.env, ['PATH=/bin', 'HOME=/'])
})

test('--root is made when it is missing, only its owner may enter', async () => {
  const b = await bundle()
  await b.create()
  equal(statSync(sandbox().marks.root).mode & 0o077 & ~0o011, 0)
})

test('--root given relative', { peers: { crun: 'loses the container' } }, async () => {
  const b = await bundle()
  const call = (...args: string[]): Promise<{ status: number; stderr: string }> =>
    launch([runtime().path, '--root', './state', ...args], { cwd: sandbox().directory }).exited
  equal((await call('create', '--bundle', b.path, b.id)).status, 0)
  equal((await b.state()).status, 'created')
  equal((await call('delete', '--force', b.id)).status, 0)
})

test('flags with an equals sign and in any order', async () => {
  const b = await bundle()
  sandbox().containers.add(b.id)
  const outcome = await callRuntime(['create', `--bundle=${b.path}`, `--pid-file=${scratch('pid')}`, b.id])
  equal(outcome.status, 0, outcome.stderr)
  equal((await callRuntime(['delete', '-f', b.id])).status, 0)
})

test('a state directory of another container that is damaged does no harm', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  mkdirSync(join(sandbox().marks.root, 'damaged'))
  sandbox().undo.push(() => {
    void callRuntime(['delete', '--force', 'damaged'])
  })
  equal((await b.state()).status, 'created')
  match((await callRuntime(['list'])).stdout, new RegExp(b.id))
  await callRuntime(['delete', '--force', 'damaged'])
  await delay(10)
})

test('--systemd-cgroup on a host without systemd is refused', async () => {
  requiresThat(!existsSync('/run/systemd/system'), 'a host without systemd')
  const b = await bundle((c) => {
    c.linux.cgroupsPath = 'system.slice:test:x'
  })
  await b.refused(/systemd not running on this host/, { global: ['--systemd-cgroup'] })
})
