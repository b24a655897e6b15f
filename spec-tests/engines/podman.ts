import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ARCHIVE, IMAGE } from './image'
import { attempt, delay, type Engine, eventually, expectStatus, type Row, run, runOnTerminal } from './row'

const rows: Row[] = []
const row = (what: string, check: () => Promise<void>, ...verbs: string[]): void => {
  rows.push({ engine: 'podman', what, verbs, check })
}

const podman = (...args: string[]): Promise<string> => run(['podman', ...args])

/** Runs a script of sh in a container of its own and returns what it prints. */
const script = (options: readonly string[], text: string): Promise<string> =>
  podman('run', '--rm', ...options, IMAGE, 'sh', '-c', text)

const remove = (id: string): Promise<string> => podman('rm', '--force', '--time', '0', id)
const inspect = (id: string, format: string): Promise<string> => podman('inspect', '--format', format, id)

const withContainer = async (
  text: string,
  options: readonly string[],
  use: (id: string) => Promise<void>,
): Promise<void> => {
  const id = await podman('run', '--detach', ...options, IMAGE, 'sh', '-c', text)
  await use(id)
  await remove(id)
}

const begin = async (): Promise<void> => {
  mkdirSync('/etc/containers/containers.conf.d', { recursive: true })
  const config = join(process.env['ENGINES_CONFIG'] ?? '', 'containers.conf')
  copyFileSync(config, '/etc/containers/containers.conf.d/tsrunc.conf')
  // What this machine has not: systemd, its journal, and the privilege to raise limits.
  const host = [
    ...['[engine]', 'cgroup_manager = "cgroupfs"', 'events_logger = "file"', '[containers]', 'log_driver = "k8s-file"'],
    ...['default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]', ''],
  ]
  writeFileSync('/etc/containers/containers.conf.d/host.conf', host.join('\n'))
  writeFileSync('/etc/containers/policy.json', '{"default": [{"type": "insecureAcceptAnything"}]}')
  await podman('load', '--input', ARCHIVE)
}

const reset = async (): Promise<void> => {
  await attempt(['podman', 'pod', 'rm', '--all', '--force', '--time', '0'])
  await attempt(['podman', 'rm', '--all', '--force', '--time', '0'])
}

row('the runtime is the one of containers.conf', async () => {
  equal(await podman('info', '--format', '{{.Host.OCIRuntime.Path}}'), '/usr/local/sbin/tsrunc')
})

row('run: output, environment, user, working directory, hostname', async () => {
  const options = ['--env', 'ONE=1', '--user', 'alice', '--workdir', '/tmp', '--hostname', 'box']
  equal(await script(options, 'echo $ONE $ORIGIN $(id -u) $PWD $(hostname) $$'), '1 image 1000 /tmp box 1')
})

row('run: exit statuses of the program, and 126', async () => {
  equal((await attempt(['podman', 'run', '--rm', IMAGE, 'sh', '-c', 'exit 23'])).status, 23)
  equal((await attempt(['podman', 'run', '--rm', IMAGE, '/etc/passwd'])).status, 126)
})

row('run: 127 for a program that is not there', async () => {
  equal((await attempt(['podman', 'run', '--rm', IMAGE, '/no/such'])).status, 127)
})

row('run -it: a terminal', async () => {
  match(await runOnTerminal(['podman', 'run', '--rm', '-it', IMAGE, 'tty']), /\/dev\/(pts\/0|console)/)
})

row(
  'exec: in the same namespaces, with environment, user, working directory and status',
  async () => {
    await withContainer('echo here >/tmp/file; sleep 1000', ['--env', 'ONE=1'], async (id) => {
      await eventually('the file', async () => (await podman('exec', id, 'cat', '/tmp/file')) === 'here')
      const options = ['--env', 'TWO=2', '--user', 'alice', '--workdir', '/tmp']
      equal(await podman('exec', ...options, id, 'sh', '-c', 'echo $ONE $TWO $(id -u) $PWD'), '1 2 1000 /tmp')
      equal((await attempt(['podman', 'exec', id, 'sh', '-c', 'exit 9'])).status, 9)
      equal((await attempt(['podman', 'exec', id, '/no/such'])).status, 127)
    })
  },
  'exec',
)

row(
  'exec -it: a terminal',
  async () => {
    await withContainer('sleep 1000', [], async (id) => {
      match(await runOnTerminal(['podman', 'exec', '-it', id, 'tty']), /\/dev\/pts\/\d/)
    })
  },
  'exec',
)

row('logs, top, stats', async () => {
  await withContainer('echo out; sleep 1234', [], async (id) => {
    await eventually('the log', async () => (await podman('logs', id)) === 'out')
    match(await podman('top', id, 'args'), /sleep 1234/)
    match(await podman('stats', '--no-stream', '--format', '{{.PIDs}}', id), /^[12]$/)
  })
})

row('pause, unpause: nothing moves in between', async () => {
  mkdirSync('/tmp/pause', { recursive: true })
  const count = (): Promise<string> => run(['cat', '/tmp/pause/n'])
  const counting = 'n=0; while :; do n=$((n+1)); echo $n >/pause/n; sleep 0.05; done'
  await withContainer(counting, ['--volume', '/tmp/pause:/pause'], async (id) => {
    await eventually('it counts', async () => Number(await count()) > 2)
    await podman('pause', id)
    equal(await inspect(id, '{{.State.Status}}'), 'paused')
    const before = await count()
    await delay(400)
    equal(await count(), before)
    await podman('unpause', id)
    await eventually('it counts again', async () => (await count()) !== before)
  })
})

row('kill, stop', async () => {
  await withContainer("trap 'exit 5' USR1 TERM; echo ready; while :; do sleep 0.1; done", [], async (id) => {
    await eventually('ready', async () => (await podman('logs', id)) === 'ready')
    await podman('kill', '--signal', 'USR1', id)
    equal(await podman('wait', id), '5')
    await podman('start', id)
    await eventually('ready', async () => (await podman('logs', id)).endsWith('ready\nready'))
    await podman('stop', id)
    equal(await inspect(id, '{{.State.ExitCode}}'), '5')
  })
})

row(
  'run: limits; update: limits of what runs',
  async () => {
    await withContainer('sleep 1000', ['--memory', '64m', '--pids-limit', '77'], async (id) => {
      const value = async (controller: string, file: string): Promise<string> => {
        const path = (await run(['cat', `/proc/${await inspect(id, '{{.State.Pid}}')}/cgroup`]))
          .split('\n')
          .find((line) => line.includes(`:${controller}:`))
        return run(['cat', `/sys/fs/cgroup/${controller}${path?.split(':')[2]}/${file}`])
      }
      equal(await value('memory', 'memory.limit_in_bytes'), '67108864')
      equal(await value('pids', 'pids.max'), '77')
      await podman('update', '--memory', '48m', id)
      equal(await value('memory', 'memory.limit_in_bytes'), '50331648')
    })
  },
  'update',
)

row('--restart on-failure:2: two times more', async () => {
  const id = await podman('run', '--detach', '--restart', 'on-failure:2', IMAGE, 'sh', '-c', 'echo again; exit 3')
  await eventually('the end', async () => (await podman('logs', id)).split('\n').length === 3)
  await remove(id)
})

row(
  'healthcheck run',
  async () => {
    await withContainer(
      'touch /well; sleep 1000',
      ['--health-cmd', 'test -e /well', '--health-interval', 'disable'],
      async (id) => {
        await eventually('healthy', async () => (await attempt(['podman', 'healthcheck', 'run', id])).status === 0)
        await podman('exec', id, 'rm', '/well')
        notEqual((await attempt(['podman', 'healthcheck', 'run', id])).status, 0)
      },
    )
  },
  'exec',
)

row('volumes, tmpfs, read-only, secrets', async () => {
  writeFileSync('/tmp/word', 'secret')
  await podman('secret', 'create', 'word', '/tmp/word')
  equal(await script(['--secret', 'word'], 'cat /run/secrets/word'), 'secret')
  const options = ['--volume', 'named:/named', '--tmpfs', '/scratch:size=1m', '--read-only']
  const text = 'echo kept >/named/file; grep -c size=1024k /proc/mounts; touch /x 2>/dev/null || echo ro'
  equal(await script(options, text), '1\nro')
  equal(await script(['--volume', 'named:/elsewhere'], 'cat /elsewhere/file'), 'kept')
})

row('--init', async () => {
  match(await script(['--init'], 'cat /proc/1/cmdline'), /podman-init|catatonit/)
})

row('--uidmap, --userns auto: user namespaces', async () => {
  const map = 'cat /proc/self/uid_map'
  const options = ['--uidmap', '0:100000:65536', '--gidmap', '0:100000:65536']
  deepEqual((await script(options, map)).trim().split(/\s+/), ['0', '100000', '65536'])
  writeFileSync('/etc/subuid', 'containers:200000:1000000\n')
  writeFileSync('/etc/subgid', 'containers:200000:1000000\n')
  deepEqual((await script(['--userns', 'auto'], map)).trim().split(/\s+/).slice(0, 2), ['0', '200000'])
})

row('--security-opt: no-new-privileges, seccomp, mask, unmask', async () => {
  const status = 'grep -E "NoNewPrivs|Seccomp:" /proc/self/status | cut -f 2'
  equal(await script(['--security-opt', 'no-new-privileges'], status), '1\n2')
  equal(await script(['--security-opt', 'seccomp=unconfined'], status), '0\n0')
  equal(await script(['--security-opt', 'mask=/etc/group'], 'cat /etc/group | wc -c'), '0')
  const covered = 'grep -c " /proc/" /proc/mounts; true'
  ok(Number(await script([], covered)) > 3)
  equal(await script(['--security-opt', 'unmask=ALL'], covered), '0')
})

row(
  'a pod: members share namespaces',
  async () => {
    const pod = await podman('pod', 'create', '--name', 'pod', '--share', 'net,ipc,uts', '--hostname', 'of-pod')
    const first = await podman('run', '--detach', '--pod', pod, IMAGE, 'sleep', '1000')
    equal(await podman('run', '--rm', '--pod', pod, IMAGE, 'hostname'), 'of-pod')
    const net = 'readlink /proc/self/ns/net'
    equal(
      await podman('exec', first, 'sh', '-c', net),
      await podman('run', '--rm', '--pod', pod, IMAGE, 'sh', '-c', net),
    )
    await podman('pod', 'pause', pod)
    equal(await inspect(first, '{{.State.Status}}'), 'paused')
    await podman('pod', 'unpause', pod)
    await podman('pod', 'rm', '--force', '--time', '0', pod)
  },
  'exec',
)

row('kube play, kube down', async () => {
  const yaml = [
    ...['apiVersion: v1', 'kind: Pod', 'metadata: {name: played}', 'spec:', '  containers:', '  - name: one'],
    ...[`    image: ${IMAGE}`, '    imagePullPolicy: Never', '    command: [sh, -c, "echo $WORD; sleep 1000"]'],
    ...['    env: [{name: WORD, value: played}]', '    resources: {limits: {memory: 64Mi}}', ''],
  ]
  writeFileSync('/tmp/pod.yaml', yaml.join('\n'))
  await podman('kube', 'play', '/tmp/pod.yaml')
  await eventually('its output', async () => (await podman('logs', 'played-one')) === 'played')
  equal(await inspect('played-one', '{{.HostConfig.Memory}}'), '67108864')
  await podman('kube', 'down', '/tmp/pod.yaml')
  equal(await podman('ps', '--all', '--quiet'), '')
})

const LISTENER = `
  my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/run/notify.sock") or die $!;
  chmod 0777, "/run/notify.sock";
  $ENV{NOTIFY_SOCKET} = "/run/notify.sock";
  my $pid = fork; if (!$pid) { exec @ARGV }
  alarm 30;
  for (my $all = ""; $all !~ /READY=1/;) { $socket->recv(my $text, 4096); $all .= $text; print "$text\n" }
  kill "KILL", $pid; wait`
const SENDER = 'IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ENV{NOTIFY_SOCKET})->send("READY=1"); sleep 1000'

row('--sdnotify container: READY=1 of the container arrives', async () => {
  const perl = ['perl', '-MIO::Socket::UNIX', '-e']
  const system = ['/usr:/usr:ro', '/usr/lib:/lib:ro', '/usr/lib64:/lib64:ro'].flatMap((volume) => ['--volume', volume])
  const command = ['podman', 'run', '--name', 'notifies', '--sdnotify', 'container', ...system, IMAGE]
  const text = await run([...perl, LISTENER, ...command, '/usr/bin/perl', ...perl.slice(1), SENDER])
  match(text, /READY=1/)
  await remove('notifies')
})

row(
  'checkpoint and restore: it goes on where it was',
  async () => {
    const counting = 'n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done'
    const id = await podman('run', '--detach', '--network', 'none', IMAGE, 'sh', '-c', counting)
    const last = async (): Promise<number> => Number((await podman('logs', '--tail', '1', id)).trim())
    await eventually('it counts', async () => (await last()) > 3)
    await podman('container', 'checkpoint', id)
    equal(await inspect(id, '{{.State.Running}}'), 'false')
    const before = await last()
    await podman('container', 'restore', id)
    await eventually('it counts on', async () => (await last()) > before)
    await remove(id)
  },
  'checkpoint',
  'restore',
)

row('build: RUN runs in the runtime', async () => {
  mkdirSync('/tmp/context', { recursive: true })
  writeFileSync('/tmp/context/Dockerfile', [`FROM ${IMAGE}`, 'RUN echo built >/built', 'CMD cat /built', ''].join('\n'))
  await podman('build', '--runtime', '/usr/local/sbin/tsrunc', '--isolation', 'oci', '--tag', 'built', '/tmp/context')
  equal(await podman('run', '--rm', 'built'), 'built')
})

row('--privileged, --device, --cap-add, --sysctl', async () => {
  match(await script(['--privileged'], 'grep Seccomp: /proc/self/status'), /0$/)
  equal(await script(['--device', '/dev/fuse'], 'ls /dev/fuse'), '/dev/fuse')
  const options = ['--cap-drop', 'all', '--cap-add', 'net_admin', '--sysctl', 'net.ipv4.ip_forward=0']
  equal(
    await script(options, 'grep CapEff /proc/self/status | cut -f 2; cat /proc/sys/net/ipv4/ip_forward'),
    '0000000000001000\n0',
  )
})

row('an error says what is wrong', async () => {
  const outcome = expectStatus(await attempt(['podman', 'run', '--rm', '--workdir', '/etc/passwd', IMAGE, 'true']), 126)
  ok(outcome.stderr.includes('/etc/passwd'), outcome.stderr)
})

row('nothing is left: containers', async () => {
  equal(await podman('ps', '--all', '--quiet'), '')
})

export const engine: Engine = { name: 'podman', begin, reset, rows }
