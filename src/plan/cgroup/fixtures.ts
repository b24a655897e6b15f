/** Values for the tests of this directory. */
import type { CgroupFacts, HostFacts, PlanOptions } from '../../host/facts'
import type { Resources, Spec } from '../../spec/types'
import type { Op } from '../ops'
import { type CgroupPlan, planCgroup } from '.'

const hierarchy = (controllers: string, directory = controllers) => ({
  mountPoint: `/sys/fs/cgroup/${directory}`,
  controllers: controllers.split(','),
})

export const V1: Extract<CgroupFacts, { readonly version: 1 }> = {
  version: 1,
  hierarchies: [
    hierarchy('name=systemd', 'systemd'),
    hierarchy('memory'),
    hierarchy('cpu,cpuacct'),
    hierarchy('cpuset'),
    hierarchy('blkio'),
    hierarchy('devices'),
    hierarchy('freezer'),
    hierarchy('hugetlb'),
    hierarchy('net_cls,net_prio'),
    hierarchy('pids'),
    hierarchy('rdma'),
  ],
}

export const V2: Extract<CgroupFacts, { readonly version: 2 }> = {
  version: 2,
  mountPoint: '/sys/fs/cgroup',
  controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
  own: '/',
}

export const NONE: CgroupFacts = { version: 0 }

export const facts = (cgroup: CgroupFacts, changed: Partial<HostFacts> = {}): HostFacts => ({
  cgroup,
  euid: 0,
  egid: 0,
  inUserNamespace: false,
  deniesSetgroups: false,
  lastCapability: 40,
  machine: 'x86_64',
  namespaces: {},
  pageSize: 4096,
  hugepageSizes: ['2MB', '1GB'],
  hugetlbReservations: true,
  swap: true,
  cgroupFiles: cgroup.version === 1 ? ['blkio.bfq.weight', 'blkio.bfq.weight_device'] : [],
  apparmor: 'off',
  selinux: false,
  ...changed,
})

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
  caller: { fds: [], pid: 1 },
  config: new Uint8Array(),
}

export const specOf = (resources: Resources, cgroupsPath = '/t/c1'): Spec => ({
  ociVersion: '1.3.0',
  linux: { cgroupsPath, resources },
})

export interface Planned {
  readonly plan: CgroupPlan
  readonly warnings: readonly string[]
}

export function planned(resources: Resources, host: HostFacts, cgroupsPath?: string): Planned {
  const warnings: string[] = []
  const plan = planCgroup(specOf(resources, cgroupsPath), OPTIONS, host, (text) => warnings.push(text))
  return { plan, warnings }
}

/** "FILE VALUE" of every write before init, without the mount point. */
export const writes = (ops: readonly Op[]): readonly string[] =>
  ops.flatMap((op) => {
    const line = (file: string, value = ''): string => `${file.replace('/sys/fs/cgroup/', '')} ${value}`
    if (op.kind === 'writeCgroupFile') return [line(op.file, op.value) + (op.ifAny ? ' if any' : '')]
    if (op.kind !== 'setCgroupLimit') return []
    return [op.files.map((file, index) => line(file, op.values[index])).join(' or ') + (op.ifAny ? ' if any' : '')]
  })
