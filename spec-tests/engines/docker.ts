import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuQuota, cpusetOf, memoryLimit, pidsLimit } from './cgroup'
import { ARCHIVE, IMAGE } from './image'
import {
  attempt,
  type CommandOptions,
  delay,
  type Engine,
  eventually,
  expectStatus,
  type Outcome,
  type Row,
  run,
  runOnTerminal,
  startDaemon,
} from './row'

const rows: Row[] = []
const row = (what: string, check: () => Promise<void>, ...verbs: string[]): void => {
  rows.push({ engine: 'docker', what, verbs, check })
}

const docker = (...args: string[]): Promise<string> => run(['docker', ...args])
const tryDocker = (args: readonly string[], options: CommandOptions = {}): Promise<Outcome> =>
  attempt(['docker', ...args], options)

/** Runs a script of sh in a container of its own and returns what it prints. */
const script = (options: readonly string[], text: string): Promise<string> =>
  docker('run', '--rm', ...options, IMAGE, 'sh', '-c', text)

/** A container in the background: its identifier. */
const detached = (text: string, ...options: string[]): Promise<string> =>
  docker('run', '--detach', ...options, IMAGE, 'sh', '-c', text)

const remove = (id: string): Promise<string> => docker('rm', '--force', '--volumes', id)
const inspect = (id: string, format: string): Promise<string> => docker('inspect', '--format', format, id)

/** Does something with a container in the background, and removes it. */
const withContainer = async (
  text: string,
  options: readonly string[],
  use: (id: string) => Promise<void>,
): Promise<void> => {
  const id = await detached(text, ...options)
  await use(id)
  await remove(id)
}

const waitForDocker = async (host: string, log: () => string): Promise<void> => {
  const answers = async (): Promise<boolean> => (await attempt(['docker', '--host', host, 'version'])).status === 0
  await eventually('dockerd answers', answers).catch((error: Error) => {
    throw new Error(`${error.message}\n${log()}`)
  })
  await run(['docker', '--host', host, 'load', '--input', ARCHIVE])
}

const begin = async (): Promise<void> => {
  mkdirSync('/etc/docker', { recursive: true })
  copyFileSync(join(process.env['ENGINES_CONFIG'] ?? '', 'daemon.json'), '/etc/docker/daemon.json')
  await waitForDocker('unix:///run/docker.sock', startDaemon(['dockerd', '--experimental']))
}

const reset = async (): Promise<void> => {
  await attempt(['sh', '-c', 'docker ps --all --quiet | xargs -r docker rm --force --volumes'])
}

row('the default runtime is the one of daemon.json', async () => {
  equal(await docker('info', '--format', '{{.DefaultRuntime}}'), 'tsrunc')
})

row('run: output, environment, user, working directory, hostname', async () => {
  const options = ['--env', 'ONE=1', '--user', 'alice', '--workdir', '/tmp', '--hostname', 'box']
  equal(await script(options, 'echo $ONE $ORIGIN $(id -u) $PWD $(hostname) $$'), '1 image 1000 /tmp box 1')
})

row('run: exit statuses of the program, 127 and 126', async () => {
  equal((await tryDocker(['run', '--rm', IMAGE, 'sh', '-c', 'exit 23'])).status, 23)
  equal((await tryDocker(['run', '--rm', IMAGE, 'no-such-program'])).status, 127)
  equal((await tryDocker(['run', '--rm', IMAGE, '/no/such'])).status, 127)
  equal((await tryDocker(['run', '--rm', IMAGE, '/etc/passwd'])).status, 126)
  equal((await tryDocker(['run', '--rm', IMAGE, '/etc'])).status, 126)
  equal(await docker('ps', '--all', '--quiet'), '')
})

row('run -i: the standard input', async () => {
  const outcome = await tryDocker(['run', '--rm', '-i', IMAGE, 'wc', '-c'], { input: 'x'.repeat(100_000) })
  equal(expectStatus(outcome, 0).stdout.trim(), '100000')
})

row('run -it: a terminal with the size of the caller’s', async () => {
  const text = await runOnTerminal([
    'sh',
    '-c',
    `stty rows 33 cols 77; docker run --rm -it ${IMAGE} sh -c 'tty; sleep 0.5; stty size'`,
  ])
  match(text, /\/dev\/(pts\/0|console)/)
  match(text, /33 77/)
})

row(
  'run --runtime io.containerd.tsrunc.v2: containerd’s shim of the runtime',
  async () => {
    const shim = ['--runtime', 'io.containerd.tsrunc.v2']
    equal(await script([...shim, '--user', 'alice'], 'echo $ORIGIN $(id -u)'), 'image 1000')
    equal((await tryDocker(['run', '--rm', ...shim, IMAGE, 'sh', '-c', 'exit 23'])).status, 23)
    equal((await tryDocker(['run', '--rm', ...shim, IMAGE, 'no-such-program'])).status, 127)
    equal((await tryDocker(['run', '--rm', ...shim, IMAGE, '/etc/passwd'])).status, 126)
    const counted = await tryDocker(['run', '--rm', '-i', ...shim, IMAGE, 'wc', '-c'], { input: 'x'.repeat(100_000) })
    equal(expectStatus(counted, 0).stdout.trim(), '100000')
    const sized = `stty rows 33 cols 77; docker run --rm -it ${shim.join(' ')} ${IMAGE} sh -c 'tty; sleep 0.5; stty size'`
    match(await runOnTerminal(['sh', '-c', sized]), /\/dev\/(pts\/0|console)[\s\S]*33 77/)
    await withContainer('echo said; exec sleep 1000', [...shim, '--memory', '64m'], async (id) => {
      await eventually('the log', async () => (await docker('logs', id)) === 'said')
      equal(await docker('exec', id, 'cat', '/proc/1/comm'), 'sleep')
      equal((await tryDocker(['exec', id, 'sh', '-c', 'exit 9'])).status, 9)
      equal(await memoryLimit(`docker/${id}`), String(64 * 1024 * 1024))
      match(await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', id), /64MiB/)
      await docker('pause', id)
      await docker('unpause', id)
      await docker('kill', '--signal', 'KILL', id)
      equal(await docker('wait', id), '137')
    })
  },
  'exec',
  'planner',
)

row(
  'exec: in the same namespaces, with environment, user, working directory and status',
  async () => {
    await withContainer('echo here >/tmp/file; sleep 1000', ['--env', 'ONE=1'], async (id) => {
      await eventually('the file', async () => (await docker('exec', id, 'cat', '/tmp/file')) === 'here')
      const options = ['--env', 'TWO=2', '--user', 'alice', '--workdir', '/tmp']
      equal(await docker('exec', ...options, id, 'sh', '-c', 'echo $ONE $TWO $(id -u) $PWD'), '1 2 1000 /tmp')
      const namespaces = (of: string): string => `for n in pid net mnt ipc uts; do readlink /proc/${of}/ns/$n; done`
      equal(
        await docker('exec', id, 'sh', '-c', namespaces('self')),
        await docker('exec', id, 'sh', '-c', namespaces('1')),
      )
      equal((await tryDocker(['exec', id, 'sh', '-c', 'exit 9'])).status, 9)
    })
  },
  'exec',
)

// Docker 26 ends with 126 where the program is not there, too.
row(
  'exec: 126 or 127, and why',
  async () => {
    await withContainer('sleep 1000', [], async (id) => {
      const missing = await tryDocker(['exec', id, 'no-such-program'])
      ok([126, 127].includes(missing.status))
      match(missing.stdout + missing.stderr, /"?no-such-program"?.*executable file not found in \$PATH/)
      const refused = expectStatus(await tryDocker(['exec', id, '/etc/passwd']), 126)
      match(refused.stdout + refused.stderr, /\/etc\/passwd.*permission denied/)
    })
  },
  'exec',
)

row(
  'exec -it: a terminal',
  async () => {
    await withContainer('sleep 1000', [], async (id) => {
      match(await runOnTerminal(['docker', 'exec', '-it', id, 'sh', '-c', 'tty; echo $TERM']), /\/dev\/pts\/\d/)
    })
  },
  'exec',
)

row(
  'exec --privileged: every capability',
  async () => {
    await withContainer('sleep 1000', [], async (id) => {
      const effective = 'grep CapEff /proc/self/status'
      const usual = await docker('exec', id, 'sh', '-c', effective)
      notEqual(await docker('exec', '--privileged', id, 'sh', '-c', effective), usual)
    })
  },
  'exec',
)

row(
  'exec: the limits and the cgroup of the container',
  async () => {
    await withContainer('sleep 1000', ['--pids-limit', '77', '--cap-drop', 'ALL'], async (id) => {
      match(await docker('exec', id, 'grep', 'CapEff', '/proc/self/status'), /0000000000000000$/)
      equal(await docker('exec', id, 'cat', '/proc/self/cgroup'), await docker('exec', id, 'cat', '/proc/1/cgroup'))
    })
  },
  'exec',
)

row('logs: both streams, and --follow to the end', async () => {
  const id = await detached('echo out; echo err >&2; sleep 1; echo last')
  const outcome = expectStatus(await tryDocker(['logs', '--follow', id]), 0)
  deepEqual([outcome.stdout, outcome.stderr], ['out\nlast\n', 'err\n'])
  await remove(id)
})

row('attach: output of what runs', async () => {
  mkdirSync('/tmp/attach', { recursive: true })
  const id = await detached('while ! [ -e /a/go ]; do sleep 0.1; done; echo attached', '--volume', '/tmp/attach:/a')
  const letGo = async (): Promise<void> => {
    await delay(500)
    writeFileSync('/tmp/attach/go', '')
  }
  const [text] = await Promise.all([docker('attach', '--no-stdin', id), letGo()])
  equal(text, 'attached')
  await remove(id)
})

row('stats: memory and processes', async () => {
  await withContainer('sleep 1000 & wait', ['--memory', '64m'], async (id) => {
    const text = await docker('stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', id)
    match(text, /^[\d.]+\w*iB \/ 64MiB 2$/)
  })
})

row('top: the processes', async () => {
  await withContainer('sleep 1234', [], async (id) => match(await docker('top', id), /sleep 1234/))
})

row('run: limits of memory, processes, CPU time and CPUs', async () => {
  const limits = ['--memory', '64m', '--pids-limit', '77', '--cpus', '0.5', '--cpuset-cpus', '0']
  await withContainer('sleep 1000', limits, async (id) => {
    const group = `docker/${id}`
    deepEqual(
      [memoryLimit(group), pidsLimit(group), cpuQuota(group), cpusetOf(group)],
      ['67108864', '77', '50000', '0'],
    )
  })
})

row(
  'update: limits of what runs',
  async () => {
    await withContainer('sleep 1000', ['--memory', '64m', '--memory-swap', '64m'], async (id) => {
      const limits = ['--memory', '48m', '--memory-swap', '48m', '--pids-limit', '55', '--cpus', '0.25']
      await docker('update', ...limits, id)
      const group = `docker/${id}`
      deepEqual([memoryLimit(group), pidsLimit(group), cpuQuota(group)], ['50331648', '55', '25000'])
    })
  },
  'update',
)

row('a container that needs more than its memory is OOMKilled', async () => {
  const id = await detached('tail /dev/zero', '--memory', '16m', '--memory-swap', '16m')
  equal(await docker('wait', id), '137')
  equal(await inspect(id, '{{.State.OOMKilled}}'), 'true')
  await remove(id)
})

row('pause, unpause: nothing moves in between', async () => {
  mkdirSync('/tmp/pause', { recursive: true })
  const count = (): Promise<string> => run(['cat', '/tmp/pause/n'])
  const counting = 'n=0; while :; do n=$((n+1)); echo $n >/pause/n; sleep 0.05; done'
  await withContainer(counting, ['--volume', '/tmp/pause:/pause'], async (id) => {
    await eventually('it counts', async () => Number(await count()) > 2)
    await docker('pause', id)
    equal(await inspect(id, '{{.State.Status}}'), 'paused')
    const before = await count()
    await delay(400)
    equal(await count(), before)
    await docker('unpause', id)
    await eventually('it counts again', async () => (await count()) !== before)
  })
})

row('kill --signal: it arrives', async () => {
  await withContainer("trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.1; done", [], async (id) => {
    await eventually('ready', async () => (await docker('logs', id)) === 'ready')
    await docker('kill', '--signal', 'USR1', id)
    equal(await docker('wait', id), '5')
    equal(await docker('logs', id), 'ready\ngot')
  })
})

row('stop: SIGTERM first, SIGKILL later', async () => {
  await withContainer("trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done", [], async (id) => {
    await eventually('ready', async () => (await docker('logs', id)) === 'ready')
    await docker('stop', id)
    equal(await inspect(id, '{{.State.ExitCode}}'), '5')
  })
  await withContainer("trap '' TERM; echo ready; while :; do sleep 0.1; done", [], async (id) => {
    await eventually('ready', async () => (await docker('logs', id)) === 'ready')
    await docker('stop', '--time', '1', id)
    equal(await inspect(id, '{{.State.ExitCode}}'), '137')
  })
})

row('start, restart: the same container again', async () => {
  const id = await detached('echo x >>/tmp/runs; cat /tmp/runs | wc -l')
  await docker('wait', id)
  await docker('start', id)
  await docker('wait', id)
  await docker('restart', id)
  await docker('wait', id)
  deepEqual((await docker('logs', id)).split('\n'), ['1', '2', '3'])
  await remove(id)
})

row('--restart on-failure:2: two times more', async () => {
  const id = await detached('echo again; exit 3', '--restart', 'on-failure:2')
  await eventually('the end', async () => (await inspect(id, '{{.State.Status}} {{.RestartCount}}')) === 'exited 2')
  equal(await docker('logs', id), 'again\nagain\nagain')
  await remove(id)
})

row('--restart always: until it is stopped', async () => {
  const id = await detached('exit 0', '--restart', 'always')
  await eventually('restarts', async () => Number(await inspect(id, '{{.RestartCount}}')) >= 2)
  await docker('stop', id)
  equal(await inspect(id, '{{.State.Running}}'), 'false')
  await remove(id)
})

row(
  'healthcheck: starting, healthy, unhealthy',
  async () => {
    const check = ['--health-cmd', 'test -e /tmp/well', '--health-interval', '0.3s', '--health-retries', '2']
    await withContainer('touch /tmp/well; sleep 1000', check, async (id) => {
      const health = (): Promise<string> => inspect(id, '{{.State.Health.Status}}')
      await eventually('healthy', async () => (await health()) === 'healthy')
      await docker('exec', id, 'rm', '/tmp/well')
      await eventually('unhealthy', async () => (await health()) === 'unhealthy')
    })
  },
  'exec',
)

row('--volume: of the host, read-only, named', async () => {
  mkdirSync('/tmp/volume', { recursive: true })
  writeFileSync('/tmp/volume/from-host', 'host')
  const mounts = ['--volume', '/tmp/volume:/rw', '--volume', '/tmp/volume:/ro:ro', '--volume', 'named:/named']
  const write = 'cat /ro/from-host; echo inside >/rw/new; touch /ro/no 2>/dev/null || echo -ro; echo kept >/named/file'
  equal(await script(mounts, write), 'host-ro')
  equal(await run(['cat', '/tmp/volume/new']), 'inside')
  equal(await script(['--volume', 'named:/elsewhere'], 'cat /elsewhere/file'), 'kept')
  await docker('volume', 'rm', 'named')
})

row(
  '--volume …:rshared, rslave: mounts travel',
  async () => {
    mkdirSync('/tmp/travel', { recursive: true })
    await withContainer('sleep 1000', ['--volume', '/tmp/travel:/t:rslave'], async (id) => {
      mkdirSync('/tmp/travel/in')
      await run(['mount', '-t', 'tmpfs', 'late', '/tmp/travel/in'])
      match(await docker('exec', id, 'grep', '/t/in', '/proc/self/mounts'), /^late \/t\/in tmpfs/)
      await run(['umount', '/tmp/travel/in'])
    })
  },
  'exec',
)

row('--tmpfs: size and flags', async () => {
  const text = await script(['--tmpfs', '/scratch:size=1m,noexec,mode=1770'], 'grep /scratch /proc/mounts')
  match(text, /^tmpfs \/scratch tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=1770/)
})

row('--mount with bind options, --shm-size', async () => {
  const options = ['--mount', 'type=bind,source=/tmp,target=/m,readonly', '--shm-size', '2m']
  const text = await script(options, 'grep -E " /(m|dev/shm) " /proc/mounts')
  match(text, /\/m \w+ ro,/)
  match(text, /\/dev\/shm tmpfs .*size=2048k/)
})

row('--init: its process 1 reaps', async () => {
  match(await script(['--init'], 'cat /proc/1/comm; cat /proc/1/cmdline'), /init/)
})

row('--read-only: except what is mounted', async () => {
  equal(
    await script(['--read-only', '--tmpfs', '/tmp'], 'touch /x 2>/dev/null || echo ro; touch /tmp/x && echo rw'),
    'ro\nrw',
  )
})

row('--security-opt no-new-privileges', async () => {
  const text = 'grep NoNewPrivs /proc/self/status | cut -f 2'
  deepEqual([await script([], text), await script(['--security-opt', 'no-new-privileges'], text)], ['0', '1'])
})

row('--security-opt seccomp: default, unconfined, a file', async () => {
  const mode = 'grep Seccomp: /proc/self/status | cut -f 2'
  deepEqual([await script([], mode), await script(['--security-opt', 'seccomp=unconfined'], mode)], ['2', '0'])
  const names = ['mkdir', 'mkdirat']
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
  }
  writeFileSync('/tmp/seccomp.json', JSON.stringify(profile))
  match(await script(['--security-opt', 'seccomp=/tmp/seccomp.json'], 'mkdir /tmp/a 2>&1; true'), /not supported/)
})

row('--security-opt systempaths=unconfined', async () => {
  const text = 'grep -c " /proc/" /proc/mounts; true'
  ok(Number(await script([], text)) > 5)
  equal(await script(['--security-opt', 'systempaths=unconfined'], text), '0')
})

row('--security-opt label=disable, apparmor=unconfined: accepted where there is neither', async () => {
  equal(await script(['--security-opt', 'label=disable', '--security-opt', 'apparmor=unconfined'], 'echo runs'), 'runs')
})

row('--cap-add, --cap-drop', async () => {
  const text = 'grep CapEff /proc/self/status | cut -f 2'
  equal(await script(['--cap-drop', 'ALL'], text), '0000000000000000')
  equal(await script(['--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN'], text), '0000000000001000')
})

row('--privileged: devices, no filter, nothing masked', async () => {
  const text = 'grep Seccomp: /proc/self/status | cut -f 2; ls /dev/kmsg; mount -t tmpfs x /tmp && echo mounts'
  equal(await script(['--privileged'], text), '0\n/dev/kmsg\nmounts')
})

row('--device: there, and others are refused', async () => {
  const text = 'ls /dev/fuse; head -c 1 /dev/fuse 2>&1; mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg 2>&1; true'
  const outcome = await script(['--device', '/dev/fuse'], text)
  match(outcome, /^\/dev\/fuse/)
  match(outcome, /tmp\/kmsg.*not permitted/)
})

row('--sysctl, --ulimit, --oom-score-adj', async () => {
  const options = ['--sysctl', 'net.ipv4.ip_forward=0', '--ulimit', 'nofile=321:654', '--oom-score-adj', '300']
  const text = 'cat /proc/sys/net/ipv4/ip_forward; ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj'
  equal(await script(options, text), '0\n321\n654\n300')
})

row(
  '--pid, --ipc, --network, --uts of another container or the host',
  async () => {
    await withContainer('sleep 1234', ['--ipc', 'shareable', '--hostname', 'other'], async (id) => {
      const options = ['--pid', `container:${id}`, '--ipc', `container:${id}`, '--network', `container:${id}`]
      const text = 'for n in net ipc pid; do readlink /proc/self/ns/$n; done; cat /proc/1/cmdline'
      const mine = await script(options, text)
      match(mine, /sleep.1234/)
      const links = await docker('exec', id, 'sh', '-c', 'for n in net ipc pid; do readlink /proc/self/ns/$n; done')
      ok(mine.startsWith(links), `${mine} does not begin with ${links}`)
    })
    equal(await script(['--uts', 'host'], 'hostname'), 'engines')
  },
  'exec',
)

row('--network: two containers on a bridge speak', async () => {
  await docker('network', 'create', 'bridge-of-rows')
  const server = 'while :; do echo hello | nc -l -p 8000; done'
  await withContainer(server, ['--network', 'bridge-of-rows', '--name', 'server'], async (id) => {
    const address = await inspect(id, '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
    const ask = `for i in 1 2 3 4 5 6 7 8 9; do nc -w 2 ${address} 8000 </dev/null && break; sleep 0.3; done`
    equal(await script(['--network', 'bridge-of-rows'], ask), 'hello')
  })
  await docker('network', 'rm', 'bridge-of-rows')
})

row('cp, diff, commit', async () => {
  const id = await detached('echo made >/made')
  await docker('wait', id)
  await docker('cp', `${id}:/made`, '/tmp/made')
  equal(await run(['cat', '/tmp/made']), 'made')
  match(await docker('diff', id), /A \/made/)
  await docker('commit', id, 'committed')
  equal(await docker('run', '--rm', 'committed', 'cat', '/made'), 'made')
  await remove(id)
  await docker('rmi', 'committed')
})

const DOCKERFILE = [
  `FROM ${IMAGE}`,
  'ARG WORD',
  'RUN echo $WORD >/built && id -u >>/built',
  'USER alice',
  'CMD cat /built; id -u',
  '',
]

for (const [kit, title] of [
  ['1', 'build with BuildKit: RUN runs in the runtime'],
  ['0', 'build without BuildKit: RUN runs in the runtime'],
] as const) {
  row(title, async () => {
    mkdirSync('/tmp/context', { recursive: true })
    writeFileSync('/tmp/context/Dockerfile', DOCKERFILE.join('\n'))
    const tag = `built-${kit}`
    const command = ['docker', 'build', '--no-cache', '--build-arg', 'WORD=word', '--tag', tag, '/tmp/context']
    await run(command, { env: { DOCKER_BUILDKIT: kit } })
    equal(await docker('run', '--rm', tag), 'word\n0\n1000')
    await docker('rmi', tag)
  })
}

row('a swarm service that scales', async () => {
  await docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1')
  const tasks = async (): Promise<number> =>
    (await docker('ps', '--quiet', '--filter', 'name=scaled')).split('\n').filter((line) => line !== '').length
  const options = ['--detach', '--name', 'scaled', '--no-resolve-image', '--network', 'host']
  await docker('service', 'create', ...options, IMAGE, 'sleep', '1000')
  await eventually('one task', async () => (await tasks()) === 1)
  await docker('service', 'scale', '--detach', 'scaled=3')
  await eventually('three tasks', async () => (await tasks()) === 3)
  await docker('service', 'rm', 'scaled')
  await eventually('no task', async () => (await tasks()) === 0)
  await docker('swarm', 'leave', '--force')
})

row(
  'checkpoint and start --checkpoint: it goes on where it was',
  async () => {
    const id = await detached('n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done', '--network', 'none')
    await delay(500)
    await docker('checkpoint', 'create', id, 'first')
    await eventually('the end', async () => (await inspect(id, '{{.State.Running}}')) === 'false')
    match(await docker('checkpoint', 'ls', id), /first/)
    // With every runtime Docker hands containerd the content again that it has got from it, and fails where containerd has it still
    // ("already exists") because its garbage collector has not run. One file more is another content.
    writeFileSync(join('/var/lib/docker/containers', id, 'checkpoints/first/note'), '')
    const last = async (): Promise<number> => Number((await docker('logs', '--tail', '1', id)).trim())
    const before = await last()
    await docker('start', '--checkpoint', 'first', id)
    await eventually('it counts on', async () => (await last()) > before)
    equal(await inspect(id, '{{.State.Running}}'), 'true')
    await remove(id)
  },
  'checkpoint',
  'restore',
)

row('user namespaces: a daemon with userns-remap', async () => {
  writeFileSync('/etc/subuid', 'dockremap:100000:65536\nalice:200000:65536\n')
  writeFileSync('/etc/subgid', 'dockremap:100000:65536\nalice:200000:65536\n')
  const host = 'unix:///run/second.sock'
  const own = ['--data-root', '/var/tmp/second', '--exec-root', '/run/second', '--pidfile', '/run/second.pid']
  const options = ['--userns-remap', 'default', '--bridge', 'none', '--iptables=false']
  await waitForDocker(host, startDaemon(['dockerd', '--host', host, ...own, ...options]))
  const text = 'cat /proc/self/uid_map; id -u; stat -c %u /bin'
  const output = await run(['docker', '--host', host, 'run', '--rm', IMAGE, 'sh', '-c', text])
  deepEqual(output.trim().split(/\s+/), ['0', '100000', '65536', '0', '0'])
  const unmapped = ['docker', '--host', host, 'run', '--rm', '--userns', 'host', IMAGE, 'cat', '/proc/self/uid_map']
  deepEqual((await run(unmapped)).trim().split(/\s+/), ['0', '0', '4294967295'])
})

row('nothing is left: containers, and state of the runtime', async () => {
  equal(await docker('ps', '--all', '--quiet'), '')
  equal(await run(['sh', '-c', 'ls /run/docker/runtime-runc/moby 2>/dev/null | grep -v "^~"; true']), '')
})

export const engine: Engine = { name: 'docker', begin, reset, rows }
