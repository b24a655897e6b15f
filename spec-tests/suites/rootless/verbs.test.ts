// Every verb, called by an ordinary user of the host to whom no cgroup was delegated.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  callRuntime,
  cgroupVersion,
  consoleSocket,
  deepEqual,
  equal,
  expectStatus,
  makeRootfs,
  match,
  onTerminal,
  requires,
  requiresThat,
  runtime,
  sandbox,
  scratch,
  type TestOptions,
  test,
  uniqueName,
} from '../../lib'
import { becomeUser, USER } from '../../lib/unprivileged'
import { made } from './made'

const HERE: TestOptions = { only: ['tsrunc'] }

test('spec --rootless runs as it is printed', async () => {
  requires('root', 'userns')
  becomeUser()
  const path = scratch('printed')
  mkdirSync(path)
  addBusybox(makeRootfs(join(path, 'rootfs')))
  const { caller } = sandbox()
  caller?.own(path)
  expectStatus(await callRuntime(['spec', '--rootless', '--bundle', path]))
  const id = uniqueName()
  sandbox().containers.add(id)
  const command = [caller?.path(runtime().path) ?? '', '--root', sandbox().marks.root, 'run', '--bundle', path, id]
  const terminal = onTerminal([...(caller?.within ?? []), ...command])
  terminal.type('echo $((40+2)) $$ $(id -u); cat /proc/self/uid_map; exit 7\n')
  await terminal.sees(/^42 1 0\r$/m)
  await terminal.sees(new RegExp(`^\\s*0\\s+${USER.uid}\\s+1\\r$`, 'm'))
  equal(await terminal.exited(), 7)
})

test('exec of an unprivileged user: in the namespaces of its container, with its ids', async () => {
  const b = await made()
  const { pid } = await b.startIdle()
  const [report, uids, processes] = await b.exec({}, ['report'], ['read', '/proc/self/uid_map'], ['processes'])
  deepEqual(uids.data.trim().split(/\s+/).map(Number), [0, USER.uid, 1])
  deepEqual(report.uids, [0, 0, 0])
  equal(
    processes.processes.some((one) => one.pid === 1),
    true,
  )
  equal(pid > 1, true)
})

test('exec of an unprivileged user on a terminal of its own', async () => {
  const b = await made()
  await b.startIdle()
  const terminal = await consoleSocket()
  sandbox().caller?.own(terminal.socket)
  const flags = ['--tty', '--detach', '--console-socket', terminal.socket]
  expectStatus(await b.tryExec({ flags }, '/bin/probe', 'stat', '/dev/pts/0'))
  await terminal.sees(/"uid":0/)
})

test('state, list, kill and delete --force of an unprivileged user', async () => {
  const b = await made()
  const { pid } = await b.startIdle()
  equal((await b.state()).pid, pid)
  match(expectStatus(await callRuntime(['list'])).stdout, new RegExp(`^${b.id}\\s+${pid}\\s+running`, 'm'))
  expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
  equal(expectStatus(await callRuntime(['list', '--quiet'])).stdout, '')
})

test('ps of an unprivileged user: by the process namespace where there is no cgroup', HERE, async () => {
  const b = await made()
  const { pid } = await b.startIdle()
  equal(expectStatus(await b.tryCall('ps', { flags: ['--format', 'json'] })).stdout.trim(), `[${pid}]`)
})

test('run --detach of an unprivileged user', async () => {
  const b = await made()
  b.command(['sleep', '60'])
  expectStatus(await b.tryRun({ flags: ['--detach'] }))
  equal((await b.state()).status, 'running')
})

for (const [verb, ...flags] of [['pause'], ['update', '--pids-limit', '9'], ['events', '--stats']] as const) {
  test(`${verb} of an unprivileged user's container without a cgroup says that there is none`, HERE, async () => {
    requiresThat(cgroupVersion() === 1, 'cgroup-v1')
    const b = await made()
    await b.startIdle()
    const outcome = await b.tryCall(verb, { flags })
    equal(outcome.status, 1, outcome.stdout)
    match(outcome.stderr, /cgroup/)
    equal((await b.state()).status, 'running')
  })
}
