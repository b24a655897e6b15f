/** Podman as a user without privileges, in the virtual machine: it has a systemd of the user, with all controllers. */
import { deepEqual, equal, match } from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ARCHIVE, IMAGE } from './image'
import { attempt, type Engine, eventually, next, type Row, run, runOnTerminal } from './row'

const rows: Row[] = []
const row = (what: string, check: () => Promise<void>, ...verbs: string[]): void => {
  rows.push({ engine: 'podman-rootless', what, verbs, check })
}

const podman = (...args: string[]): Promise<string> => run(['podman', ...args], { timeout: 120_000 })
const script = (options: readonly string[], text: string): Promise<string> =>
  podman('run', '--rm', ...options, IMAGE, 'sh', '-c', text)

const begin = async (runtime: string): Promise<void> => {
  const directory = join(homedir(), '.config/containers')
  mkdirSync(directory, { recursive: true })
  const config = [
    ...['[engine]', 'runtime = "tsrunc"', 'runtime_supports_json = ["tsrunc"]', 'events_logger = "file"'],
    ...['[engine.runtimes]', `tsrunc = ["${runtime}"]`, '[containers]', 'log_driver = "k8s-file"', ''],
  ]
  writeFileSync(join(directory, 'containers.conf'), config.join('\n'))
  writeFileSync(join(directory, 'policy.json'), '{"default": [{"type": "insecureAcceptAnything"}]}')
  await podman('load', '--input', ARCHIVE)
}

const reset = async (): Promise<void> => {
  await attempt(['podman', 'rm', '--all', '--force', '--time', '0'])
}

row('run: root within is the user without, and the others are subordinate ids', async () => {
  const volume = `/tmp/volume-${next()}`
  mkdirSync(volume)
  const text = 'cat /proc/self/uid_map; touch /v/root; touch /v/alice; chown 1000 /v/alice'
  const maps = await script(['--volume', `${volume}:/v`], text)
  deepEqual(
    maps.split('\n').map((line) => line.trim().split(/\s+/)),
    [
      ['0', '1000', '1'],
      ['1', '100000', '65536'],
    ],
  )
  equal(statSync(join(volume, 'root')).uid, 1000)
  equal(statSync(join(volume, 'alice')).uid, 100_999)
})

row('run: 127 for a program that is not there', async () => {
  equal((await attempt(['podman', 'run', '--rm', IMAGE, '/no/such'])).status, 127)
})

row('run -it: a terminal', async () => {
  match(await runOnTerminal(['podman', 'run', '--rm', '-it', IMAGE, 'tty']), /\/dev\/(pts\/0|console)/)
})

row('run --memory, --pids-limit, --cpus: in a scope of the user’s systemd', async () => {
  const id = await podman(
    ...['run', '--detach', '--memory', '64m', '--pids-limit', '77', '--cpus', '0.5', IMAGE, 'sleep', '1000'],
  )
  const pid = await podman('inspect', '--format', '{{.State.Pid}}', id)
  const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().slice('0::'.length)
  match(cgroup, /^\/user\.slice\/user-1000\.slice\/user@1000\.service\/user\.slice\/libpod-[0-9a-f]+\.scope/)
  const limit = (file: string): string =>
    readFileSync(join('/sys/fs/cgroup', cgroup.replace(/\/container$/, ''), file), 'utf8').trim()
  deepEqual([limit('memory.max'), limit('pids.max'), limit('cpu.max')], ['67108864', '77', '50000 100000'])
  await podman('rm', '--force', '--time', '0', id)
  equal(existsSync(join('/sys/fs/cgroup', cgroup)), false)
})

row(
  'exec, and exec -it: in the same namespaces',
  async () => {
    const id = await podman('run', '--detach', IMAGE, 'sh', '-c', 'echo here >/tmp/file; sleep 1000')
    await eventually('the file', async () => (await podman('exec', id, 'cat', '/tmp/file')) === 'here')
    equal(await podman('exec', '--user', 'alice', id, 'id', '-u'), '1000')
    match(await runOnTerminal(['podman', 'exec', '-it', id, 'tty']), /\/dev\/pts\/\d/)
    await podman('rm', '--force', '--time', '0', id)
  },
  'exec',
)

row('pause, unpause, kill, logs', async () => {
  const id = await podman(
    'run',
    '--detach',
    IMAGE,
    'sh',
    '-c',
    "trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.1; done",
  )
  await eventually('ready', async () => (await podman('logs', id)).includes('ready'))
  await podman('pause', id)
  equal(await podman('inspect', '--format', '{{.State.Status}}', id), 'paused')
  await podman('unpause', id)
  await podman('kill', '--signal', 'USR1', id)
  equal(await podman('wait', id), '5')
  match(await podman('logs', id), /got/)
  await podman('rm', id)
})

row('--userns=keep-id: the user within is the user without', async () => {
  equal(await script(['--userns', 'keep-id'], 'id -u'), '1000')
})

row('a network of its own, and none', async () => {
  match(await script([], 'ip addr'), /inet (?!127\.)/)
  equal(await script(['--network', 'none'], 'ls /sys/class/net'), 'lo')
})

export const engine: Engine = { name: 'podman-rootless', begin, reset, rows }
