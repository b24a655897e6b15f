import { existsSync, readFileSync } from 'node:fs'

const TREE = '/sys/fs/cgroup'
const UNIFIED = existsSync(`${TREE}/cgroup.controllers`)

/** A file of a container's cgroup, as the sandbox has it: by its name in v1 and in v2. */
const fileOf = (cgroup: string, controller: string, v1: string, v2: string): string =>
  readFileSync(UNIFIED ? `${TREE}/${cgroup}/${v2}` : `${TREE}/${controller}/${cgroup}/${v1}`, 'utf8').trim()

export const memoryLimit = (cgroup: string): string => fileOf(cgroup, 'memory', 'memory.limit_in_bytes', 'memory.max')

export const pidsLimit = (cgroup: string): string => fileOf(cgroup, 'pids', 'pids.max', 'pids.max')

/** Microseconds of a period of 100000. */
export const cpuQuota = (cgroup: string): string =>
  fileOf(cgroup, 'cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ')[0] ?? ''

export const cpusetOf = (cgroup: string): string => fileOf(cgroup, 'cpuset', 'cpuset.cpus', 'cpuset.cpus')
