/** containerd's side of Kubernetes: pods and containers through the container runtime interface, as kubelet asks for them. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuQuota, memoryLimit } from './cgroup'
import { cri, type Status } from './cri-client'
import { ARCHIVE, IMAGE, PAUSE, PAUSE_ARCHIVE } from './image'
import { attempt, type Engine, eventually, next, type Row, run, startDaemon } from './row'

const rows: Row[] = []
const row = (what: string, check: () => Promise<void>, ...verbs: string[]): void => {
  rows.push({ engine: 'cri', what, verbs, check })
}

type Fields = Readonly<Record<string, unknown>>

const CNI = '/etc/cni/net.d'
const NETWORK = {
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [{ type: 'ptp', ipam: { type: 'host-local', subnet: '10.88.0.0/16' } }],
}

const configure = (): void => {
  for (const path of ['/etc/containerd', CNI]) mkdirSync(path, { recursive: true })
  const documented = readFileSync(join(process.env['ENGINES_CONFIG'] ?? '', 'containerd.toml'), 'utf8')
  const plugin = '[plugins."io.containerd.grpc.v1.cri"'
  // Sandboxes ask for less than a host without CAP_SYS_RESOURCE may give.
  const own = `${plugin}]\nsandbox_image = "${PAUSE}"\nrestrict_oom_score_adj = true\n${plugin}.cni]\nbin_dir = "/usr/lib/cni"\nconf_dir = "${CNI}"\n${plugin}.containerd.runtimes.shim]\nruntime_type = "io.containerd.tsrunc.v2"\n`
  writeFileSync('/etc/containerd/config.toml', `${documented}\n${own}`)
  writeFileSync(join(CNI, '10-pods.conflist'), JSON.stringify(NETWORK))
}

const begin = async (): Promise<void> => {
  configure()
  const log = startDaemon(['containerd'])
  const withLog = (error: Error): never => {
    throw new Error(`${error.message}\n${log()}`)
  }
  await eventually('containerd answers', async () => (await attempt(['ctr', 'version'])).status === 0).catch(withLog)
  for (const archive of [ARCHIVE, PAUSE_ARCHIVE])
    await run(['ctr', '--namespace', 'k8s.io', 'image', 'import', archive])
  const known = async (image: string): Promise<boolean> => Boolean((await cri.imageStatus({ image: { image } })).image)
  await eventually('the images are known', async () => (await known(IMAGE)) && (await known(PAUSE))).catch(withLog)
}

interface Pod {
  readonly id: string
  readonly config: Fields
  readonly logs: string
  readonly cgroup: string
}

/** @param ofNode on the node's network, which has the node's host name */
const runPod = async (linux: Fields = {}, ofNode = false, runtime_handler = ''): Promise<Pod> => {
  const name = `pod${next()}`
  const logs = `/tmp/logs/${name}`
  const cgroup = `/pods/${name}`
  const hostname = ofNode ? '' : name
  mkdirSync(logs, { recursive: true })
  const metadata = { name, uid: name, namespace: 'default' }
  const config = { metadata, hostname, log_directory: logs, linux: { cgroup_parent: cgroup, ...linux } }
  return { id: (await cri.runPodSandbox({ config, runtime_handler })).pod_sandbox_id, config, logs, cgroup }
}

const removePod = async ({ id }: Pod): Promise<void> => {
  await cri.stopPodSandbox({ pod_sandbox_id: id })
  await cri.removePodSandbox({ pod_sandbox_id: id })
}

/** Kubernetes gives each container a process namespace of its own unless a pod says otherwise. */
const OWN_PROCESSES = { namespace_options: { pid: 'CONTAINER' } }

const create = async (pod: Pod, script: string, linux: Fields = {}, more: Fields = {}): Promise<string> => {
  const name = `c${next()}`
  const config = {
    metadata: { name },
    image: { image: IMAGE },
    command: ['sh', '-c', script],
    log_path: `${name}.log`,
    linux: { security_context: OWN_PROCESSES, ...linux },
    ...more,
  }
  const answer = await cri.createContainer({ pod_sandbox_id: pod.id, config, sandbox_config: pod.config })
  return answer.container_id
}

const start = async (...args: Parameters<typeof create>): Promise<string> => {
  const id = await create(...args)
  await cri.startContainer({ container_id: id })
  return id
}

const statusOf = async (id: string): Promise<Status> => (await cri.containerStatus({ container_id: id })).status

const ended = async (id: string): Promise<Status> => {
  await eventually(`${id} has ended`, async () => (await statusOf(id)).state === 'EXITED')
  return statusOf(id)
}

const exec = async (id: string, ...cmd: string[]): Promise<string> => {
  const { stdout, stderr, exit_code } = await cri.execSync({ container_id: id, cmd, timeout: 10 })
  equal(exit_code, 0, Buffer.from(stderr).toString())
  return Buffer.from(stdout).toString().trimEnd()
}

/** The words of the log that kubelet would read: "TIME STREAM TAG TEXT". */
const logged = (pod: Pod): string[] =>
  readdirSync(pod.logs).flatMap((file) =>
    readFileSync(join(pod.logs, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ').slice(3).join(' ')),
  )

row(
  'a pod: containers share network, IPC and host name, not processes',
  async () => {
    const pod = await runPod()
    const one = await start(pod, 'sleep 1000')
    const two = await start(pod, 'sleep 1000')
    const namespaces = async (id: string): Promise<string[]> => {
      const links = await exec(id, 'sh', '-c', 'for kind in net ipc uts pid mnt; do readlink /proc/1/ns/$kind; done')
      return links.split('\n')
    }
    const [left, right] = [await namespaces(one), await namespaces(two)]
    deepEqual(left.slice(0, 3), right.slice(0, 3))
    ok(left[3] !== right[3] && left[4] !== right[4])
    equal(await exec(one, 'hostname'), pod.config['hostname'])
    match(await exec(one, 'ip', 'addr'), /inet 10\.88\./)
    await removePod(pod)
  },
  'exec',
)

row(
  'a pod by containerd’s shim of the runtime: log, exec, limit, exit codes',
  async () => {
    const pod = await runPod({}, false, 'shim')
    const id = await start(pod, 'echo said; exec sleep 1000', {
      resources: { memory_limit_in_bytes: 64 * 1024 * 1024 },
    })
    await eventually('the log', async () => logged(pod).includes('said'))
    equal(await exec(id, 'cat', '/proc/1/comm'), 'sleep')
    equal(memoryLimit(`${pod.cgroup}/${id}`), String(64 * 1024 * 1024))
    const short = await start(pod, 'exit 7')
    equal((await ended(short)).exit_code, 7)
    await cri.stopContainer({ container_id: id, timeout: 0 })
    equal((await ended(id)).exit_code, 137)
    await removePod(pod)
  },
  'exec',
  'planner',
)

row(
  'a pod that shares its processes',
  async () => {
    const pod = await runPod({ security_context: { namespace_options: { pid: 'POD' } } })
    const id = await start(pod, 'sleep 1000', { security_context: { namespace_options: { pid: 'POD' } } })
    match(await exec(id, 'cat', '/proc/1/cmdline'), /sleep.1000000/)
    await removePod(pod)
  },
  'exec',
)

row(
  'a pod on the network of the node, with sysctls of its own',
  async () => {
    const node = await runPod({ security_context: { namespace_options: { network: 'NODE' } } }, true)
    const id = await start(node, 'sleep 1000', {
      security_context: { namespace_options: { network: 'NODE', pid: 'CONTAINER' } },
    })
    equal(await exec(id, 'readlink', '/proc/1/ns/net'), await run(['readlink', '/proc/self/ns/net']))
    await removePod(node)
    const pod = await runPod({
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': '77', 'kernel.shm_rmid_forced': '1' },
    })
    const inside = await start(pod, 'sleep 1000')
    equal(await exec(inside, 'cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start'), '77')
    equal(await exec(inside, 'cat', '/proc/sys/kernel/shm_rmid_forced'), '1')
    await removePod(pod)
  },
  'exec',
)

row('a container: arguments, environment, working directory, volumes; its log and its exit code', async () => {
  writeFileSync('/tmp/shared-file', 'volume\n')
  const pod = await runPod()
  const script = 'echo $ONE $PWD; cat /volume; (echo x >/volume) 2>/dev/null || echo read-only; exit 7'
  const envs = [{ key: 'ONE', value: '1' }]
  const mounts = [{ container_path: '/volume', host_path: '/tmp/shared-file', readonly: true }]
  const id = await start(pod, script, {}, { envs, mounts, working_dir: '/tmp' })
  equal((await ended(id)).exit_code, 7)
  await eventually('the log', async () => logged(pod).length >= 3)
  deepEqual(logged(pod), ['1 /tmp', 'volume', 'read-only'])
  await removePod(pod)
})

row(
  'ExecSync: output, exit code, and its deadline',
  async () => {
    const pod = await runPod()
    const id = await start(pod, 'sleep 1000')
    const answer = await cri.execSync({
      container_id: id,
      cmd: ['sh', '-c', 'echo out; echo err >&2; exit 3'],
      timeout: 10,
    })
    deepEqual(
      [Buffer.from(answer.stdout).toString(), Buffer.from(answer.stderr).toString(), answer.exit_code],
      ['out\n', 'err\n', 3],
    )
    await rejects(
      cri.execSync({ container_id: id, cmd: ['sleep', '555'], timeout: 1 }),
      /DeadlineExceeded|timeout|deadline/i,
    )
    equal(await exec(id, 'sh', '-c', 'grep -l "^sleep.555" /proc/[0-9]*/cmdline || true'), '')
    await removePod(pod)
  },
  'exec',
)

row(
  'resources: set, and changed while it runs',
  async () => {
    const pod = await runPod()
    const resources = { memory_limit_in_bytes: 67_108_864, cpu_quota: 50_000, cpu_period: 100_000, oom_score_adj: 900 }
    const id = await start(pod, 'sleep 1000', { resources })
    const cgroup = `${pod.cgroup}/${id}`
    deepEqual([memoryLimit(cgroup), cpuQuota(cgroup)], ['67108864', '50000'])
    equal(await exec(id, 'cat', '/proc/1/oom_score_adj'), '900')
    await cri.updateContainerResources({ container_id: id, linux: { ...resources, memory_limit_in_bytes: 33_554_432 } })
    equal(memoryLimit(cgroup), '33554432')
    await removePod(pod)
  },
  'exec',
  'update',
)

row('the OOM killer: the reason is OOMKilled', async () => {
  const pod = await runPod()
  const id = await start(pod, 'exec tail /dev/zero', { resources: { memory_limit_in_bytes: 16_777_216 } })
  const { exit_code, reason } = await ended(id)
  deepEqual([exit_code, reason], [137, 'OOMKilled'])
  await removePod(pod)
})

row(
  'security context: user, groups, capabilities, no new privileges, read-only root, seccomp, masked paths',
  async () => {
    const pod = await runPod()
    const id = await start(pod, 'sleep 1000', {
      security_context: {
        ...OWN_PROCESSES,
        run_as_user: { value: 1000 },
        run_as_group: { value: 1000 },
        supplemental_groups: [4242],
        capabilities: { drop_capabilities: ['ALL'] },
        no_new_privs: true,
        readonly_rootfs: true,
        seccomp: { profile_type: 'RuntimeDefault' },
        masked_paths: ['/proc/keys'],
      },
    })
    const ids = await exec(id, 'grep', '-E', '^(Uid|Gid|Groups):', '/proc/1/status')
    match(ids, /^Uid:(\t1000){4}\nGid:(\t1000){4}\nGroups:\t([0-9]+ )*4242\b/)
    const status = await exec(id, 'grep', '-E', '^(CapBnd|NoNewPrivs|Seccomp):', '/proc/1/status')
    deepEqual(status.split(/\s+/), ['CapBnd:', '0000000000000000', 'NoNewPrivs:', '1', 'Seccomp:', '2'])
    equal(await exec(id, 'sh', '-c', 'touch /file 2>/dev/null || echo read-only'), 'read-only')
    equal(await exec(id, 'sh', '-c', 'test -c /proc/keys && echo masked'), 'masked')
    await removePod(pod)
  },
  'exec',
)

row(
  'a privileged container: every capability, no filter, devices of the node',
  async () => {
    const privileged = { privileged: true }
    const pod = await runPod({ security_context: privileged })
    const id = await start(pod, 'sleep 1000', { security_context: { ...OWN_PROCESSES, ...privileged } })
    equal(await exec(id, 'sh', '-c', 'test -c /dev/fuse && echo device'), 'device')
    equal(await exec(id, 'grep', 'CapBnd:', '/proc/1/status'), await run(['grep', 'CapBnd:', '/proc/self/status']))
    equal(await exec(id, 'grep', 'Seccomp:', '/proc/1/status'), 'Seccomp:\t0')
    await removePod(pod)
  },
  'exec',
)

row('StopContainer: SIGTERM first, SIGKILL when its time is over', async () => {
  const pod = await runPod()
  const polite = await start(pod, "trap 'exit 4' TERM; echo ready; while :; do sleep 0.1; done")
  await eventually('ready', async () => logged(pod).includes('ready'))
  await cri.stopContainer({ container_id: polite, timeout: 10 })
  equal((await statusOf(polite)).exit_code, 4)
  const stubborn = await start(pod, "trap '' TERM; echo stubborn; while :; do sleep 0.1; done")
  await eventually('ready', async () => logged(pod).includes('stubborn'))
  await cri.stopContainer({ container_id: stubborn, timeout: 1 })
  equal((await statusOf(stubborn)).exit_code, 137)
  await cri.removeContainer({ container_id: polite })
  await removePod(pod)
})

row('a program that is not there: the container says so', async () => {
  const pod = await runPod()
  const id = await create(pod, '', {}, { command: ['/no/such'] })
  await rejects(cri.startContainer({ container_id: id }), /\/no\/such.*no such file or directory/)
  const { state, exit_code, reason, message } = await statusOf(id)
  deepEqual([state, exit_code, reason], ['EXITED', 128, 'StartError'])
  match(message, /\/no\/such/)
  await removePod(pod)
})

row('statistics: memory', async () => {
  const pod = await runPod()
  const id = await start(pod, 'sleep 1000')
  await eventually(
    'memory',
    async () => (await cri.containerStats({ container_id: id })).stats.memory.working_set_bytes.value > 0,
  )
  await removePod(pod)
})

row('20 pods at once, each with a container, and none is left', async () => {
  const pods: Pod[] = []
  const one = async (): Promise<void> => {
    const pod = await runPod()
    pods.push(pod)
    const id = await start(pod, 'exit 5')
    equal((await ended(id)).exit_code, 5)
    await removePod(pod)
  }
  await Promise.all(Array.from({ length: 20 }, one))
  deepEqual(
    readdirSync('/run/containerd/runc/k8s.io').filter((name) => pods.some(({ id }) => id === name)),
    [],
  )
})

export const engine: Engine = { name: 'cri', begin, rows }
