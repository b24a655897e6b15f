// `gc`: what calls that were killed have left is found and removed; what lives, or is its caller's to delete, stays.
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  callRuntime,
  deepEqual,
  equal,
  eventually,
  expectStatus,
  isAlive,
  launch,
  leftSoFar,
  match,
  ok,
  requires,
  runtime,
  runtimeEnvironment,
  sandbox,
  scratch,
  test,
  undenied,
} from '../../lib'
import { richBundle } from '../crash/containers'
import { callKilled, createArgs, lastExecve } from '../crash/killing'

const OURS = { only: ['tsrunc'], timeout: 120_000 } as const

const gc = async (...flags: readonly string[]): Promise<string> => {
  const { stdout, stderr } = expectStatus(await callRuntime(['gc', ...flags]))
  ok(undenied(stderr) === '' || /warning: \S+: there is no plan/.test(stderr), stderr)
  return stdout
}

const inRoot = (): string[] => readdirSync(sandbox().marks.root).filter((name) => !name.startsWith('~'))

test('gc: a create that was killed is removed with all that it made, and --dry-run removes nothing', OURS, async () => {
  requires('root')
  const b = await richBundle()
  const execve = await lastExecve(b)
  const { calls } = await callKilled({ execve, who: 'main' }, 0, createArgs(b))
  equal(await gc(), '')
  expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
  let found = 0
  for (let at = 40; at < calls; at += Math.ceil(calls / 12)) {
    await callKilled({ execve, who: 'main' }, at, createArgs(b))
    const left = inRoot()
    const state = await b.tryCall('state')
    // A directory without anything in it is left alone for some seconds: a create may be about to lock it.
    const begun = left.includes(b.id) && readdirSync(join(sandbox().marks.root, b.id)).length > 0
    if (!begun || /"(created|creating)"/.test(state.stdout)) {
      expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
      continue
    }
    found += 1
    match(await gc('--dry-run'), new RegExp(`^would remove ${b.id}: create was interrupted$`, 'm'))
    deepEqual(inRoot(), left)
    match(await gc(), new RegExp(`^removed ${b.id}: create was interrupted$`, 'm'))
    deepEqual(await leftSoFar(), [], `killed at ${at}`)
  }
  ok(found >= 3, `${found} containers were incomplete`)
})

test('gc: a delete that was killed before its end is brought to it', OURS, async () => {
  requires('root')
  const b = await richBundle()
  await b.create()
  await b.kill('KILL')
  await b.reaches('stopped')
  equal(await gc(), '')
  const state = readFileSync(join(sandbox().marks.root, b.id, 'state'))
  // What delete leaves that is killed while it removes the directory: everything outside is undone, the plan is gone.
  await callRuntime(['delete', b.id])
  mkdirSync(join(sandbox().marks.root, b.id))
  writeFileSync(join(sandbox().marks.root, b.id, 'state'), state)
  match(await gc(), new RegExp(`^removed ${b.id}: delete was interrupted$`, 'm'))
  deepEqual(inRoot(), [])
})

test('gc: containers that wait, run, have stopped, are being made or are damaged stay', OURS, async () => {
  requires('root')
  const [created, running, stopped, damaged] = [
    await richBundle(),
    await richBundle(),
    await richBundle(),
    await richBundle(),
  ]
  for (const b of [created, running, stopped, damaged]) await b.create()
  await running.start()
  await stopped.kill('KILL')
  await stopped.reaches('stopped')
  writeFileSync(join(sandbox().marks.root, damaged.id, 'state'), 'tsrunc-state 2\npi')
  const fresh = join(sandbox().marks.root, 'fresh')
  mkdirSync(fresh)
  const before = inRoot()
  const { status, stdout, stderr } = await callRuntime(['gc'])
  deepEqual([status, stdout], [0, ''])
  match(stderr, /the saved state \(the file "state"\) is damaged/)
  deepEqual(inRoot(), before)
  equal((await created.state()).status, 'created')
  equal((await running.state()).status, 'running')
  // A directory in which nothing was begun is somebody's only for a moment.
  utimesSync(fresh, 1, 1)
  match((await callRuntime(['gc'])).stdout, /^removed fresh: create was interrupted$/m)
  for (const b of [created, running, stopped]) await b.delete({ flags: ['--force'] })
  // Its number is lost: only its cgroups tell who belongs to it.
  const forced = await damaged.tryCall('delete', { flags: ['--force'] })
  equal(forced.status, 0, forced.stderr)
  match(forced.stderr, /only processes in the container's cgroups can be ended/)
})

const runs = async (b: Bundle): Promise<void> => {
  await eventually(`the state of ${b.id}`, () => existsSync(join(sandbox().marks.root, b.id, 'state')), 20_000)
  await b.reaches('running')
}

test('gc: a stopped container of a run that was killed is removed, one that its run keeps is not', OURS, async () => {
  requires('root')
  const [killed, kept, detached] = [await richBundle(), await richBundle(), await richBundle()]
  const foreground = [killed.launchRun(), kept.launchRun({ flags: ['--keep'] })]
  for (const b of [killed, kept]) await runs(b)
  expectStatus(await detached.tryRun({ flags: ['--detach'] }))
  for (const run of foreground) await run.kill('SIGKILL')
  // What goes on running is nobody's to remove.
  equal(await gc(), '')
  for (const b of [killed, kept, detached]) {
    await b.kill('KILL')
    await b.reaches('stopped')
  }
  match(await gc('--dry-run'), new RegExp(`^would remove ${killed.id}: the run that was to delete it has ended\n$`))
  match(await gc(), new RegExp(`^removed ${killed.id}: the run that was to delete it has ended\n$`))
  deepEqual(inRoot().sort(), [kept.id, detached.id].sort())
  for (const b of [kept, detached]) await b.delete()
})

/** A later process with the number of the run that was killed: pid_namespaces(7), ns_last_pid in proc_sys_kernel(5). */
const REUSE = `
  set -e
  last() { echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid; }
  last 2000
  "$@" &
  test $! = 2000
  until grep -q '"status": "running"' "$STATE" 2> /dev/null; do sleep 0.1; $TSRUNC state "$ID" > "$STATE" 2> /dev/null || true; done
  kill -KILL 2000
  wait 2000 || true
  $TSRUNC kill "$ID" KILL
  until grep -q '"status": "stopped"' "$STATE"; do sleep 0.1; $TSRUNC state "$ID" > "$STATE"; done
  last 2000
  sleep 600 &
  test $! = 2000
  $TSRUNC gc --dry-run
  $TSRUNC gc
  kill -KILL 2000
`

test('gc: a process that has the number of a killed run by now is not taken for it', OURS, async () => {
  requires('root')
  const b = await richBundle()
  b.command(['pause'])
  sandbox().containers.add(b.id)
  const ours = [runtime().path, '--root', sandbox().marks.root]
  const env = { ...runtimeEnvironment(), TSRUNC: ours.join(' '), STATE: scratch('state.json'), ID: b.id }
  const command = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', REUSE, 'sh', ...ours]
  const { status, stdout, stderr } = await launch([...command, 'run', '--bundle', b.path, b.id], { env }).exited
  equal(status, 0, stderr)
  const why = `${b.id}: the run that was to delete it has ended\n`
  equal(stdout, `would remove ${why}removed ${why}`)
  deepEqual(await leftSoFar(), [])
})

test('gc: a container whose run waits for it is left to the run', OURS, async () => {
  requires('root')
  const b = await richBundle()
  const run = b.launchRun()
  await runs(b)
  const stop = await run.pid
  process.kill(stop, 'SIGSTOP')
  sandbox().undo.push(() => {
    if (isAlive(stop)) process.kill(stop, 'SIGKILL')
  })
  await b.kill('KILL')
  await b.reaches('stopped')
  equal(await gc(), '')
  process.kill(stop, 'SIGCONT')
  await run.exited
  deepEqual(inRoot(), [])
})
