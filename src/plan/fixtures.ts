import type { HostFacts, PlanOptions } from '../host/facts'
import type { Process, Spec } from '../spec/types'
import { type ExecRequest, resolveExec } from './exec'
import { type ExecFlags, execProcess } from './exec-process'
import { resolvePlan } from './resolve'

/** Made-up hosts and calls for the planner's tests. */
export const FACTS_V2: HostFacts = {
  cgroup: {
    version: 2,
    mountPoint: '/sys/fs/cgroup',
    controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'],
    own: '/caller',
  },
  euid: 0,
  egid: 0,
  inUserNamespace: false,
  deniesSetgroups: false,
  lastCapability: 40,
  machine: 'x86_64',
  namespaces: { mnt: '4:1', net: '4:2', uts: '4:3', user: '4:4', pid: '4:5', ipc: '4:6', cgroup: '4:7', time: '4:8' },
  pageSize: 4096,
  hugepageSizes: ['2MB', '1GB'],
  hugetlbReservations: true,
  swap: true,
  cgroupFiles: ['blkio.weight', 'blkio.weight_device', 'blkio.leaf_weight'],
  apparmor: 'off',
  selinux: false,
}

const v1 = (name: string) => ({
  mountPoint: `/sys/fs/cgroup/${name.replace('name=', '')}`,
  controllers: name.split(','),
})

export const FACTS_V1: HostFacts = {
  ...FACTS_V2,
  cgroup: {
    version: 1,
    hierarchies: [
      'cpu,cpuacct',
      'memory',
      'devices',
      'pids',
      'freezer',
      'cpuset',
      'blkio',
      'hugetlb',
      'name=systemd',
    ].map(v1),
  },
}

/** A caller without privileges. */
export const FACTS_USER: HostFacts = {
  ...FACTS_V2,
  cgroup: { version: 2, mountPoint: '/sys/fs/cgroup', controllers: ['memory', 'pids'], own: '/caller', delegated: [] },
  euid: 1000,
  egid: 1001,
}

export const OPTIONS: PlanOptions = {
  id: 'c1',
  bundle: '/bundle',
  rootfs: '/bundle/rootfs',
  root: '/run/tsrunc',
  noPivot: false,
  noNewKeyring: false,
  preserveFds: 0,
  pidFile: undefined,
  consoleSocket: undefined,
  pidfdSocket: undefined,
  detach: true,
  cgroupManager: 'cgroupfs',
  rootless: 'auto',
  environment: {},
  caller: { fds: [0, 1, 2], pid: 4711 },
  config: Buffer.from('{}'),
}

type Part<K extends keyof Spec> = Exclude<Spec[K], undefined>

/** Something to run with all its namespaces but user and time, and nothing else. */
export const BASE = {
  ociVersion: '1.3.0',
  process: { cwd: '/', args: ['/bin/true'], env: ['PATH=/bin'], user: { uid: 0, gid: 0 } } as Part<'process'>,
  root: { path: 'rootfs' },
  linux: {
    namespaces: [
      { type: 'pid' },
      { type: 'mount' },
      { type: 'network' },
      { type: 'ipc' },
      { type: 'uts' },
      { type: 'cgroup' },
    ],
  } as Part<'linux'>,
} satisfies Spec

export const withProcess = (process: Partial<Part<'process'>>): Spec => ({
  ...BASE,
  process: { ...BASE.process, ...process },
})

export const withLinux = (linux: Part<'linux'>): Spec => ({ ...BASE, linux: { ...BASE.linux, ...linux } })

/** BASE in a new user namespace; all of its ids are those of the host from 100000 on. */
export const USER_NAMESPACE: Spec = withLinux({
  namespaces: [{ type: 'user' }, { type: 'mount' }, { type: 'network' }, { type: 'cgroup' }],
  uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
})

/** A compiler that writes down what it was asked: an instruction a rule, and one more. */
export const compileSeccomp = (request: { rules: readonly unknown[] }): Uint8Array =>
  new Uint8Array(8 * (1 + request.rules.length))

/** resolvePlan on a made-up host. */
export const resolve = (spec: Spec, options: Partial<PlanOptions> = {}, facts: HostFacts = FACTS_V2) =>
  resolvePlan(spec, { ...OPTIONS, ...options }, facts, compileSeccomp)

/** The flags of an exec that says nothing. */
export const NO_FLAGS: ExecFlags = {
  args: [],
  cwd: undefined,
  env: [],
  user: undefined,
  additionalGids: [],
  tty: false,
  processLabel: undefined,
  apparmor: undefined,
  noNewPrivs: undefined,
  caps: [],
}

interface OneMore {
  readonly flags?: Partial<ExecFlags>
  readonly file?: Process
  readonly request?: Partial<ExecRequest>
}

/** resolveExec for a container of a made-up host. `options` are those of the exec. */
export const resolveOneMore = (
  { flags, file, request }: OneMore,
  spec: Spec,
  options: Partial<PlanOptions> = {},
  facts: HostFacts = FACTS_V2,
) => {
  const { header } = resolve(spec, {}, facts).plan
  const process = execProcess(spec.process, file, { ...NO_FLAGS, ...flags })
  const container = { spec, process, header, containerPid: 77, cgroups: [], ignorePaused: false, ...request }
  return resolveExec(
    container,
    { ...OPTIONS, detach: false, cgroupManager: 'disabled', ...options },
    facts,
    compileSeccomp,
  )
}
