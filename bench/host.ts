import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** What a reader must know about the machine to judge the figures. */
export interface HostFacts {
  readonly kernel: string
  readonly processor: string
  readonly cores: number
  /** GiB. */
  readonly memory: number
  readonly cgroups: string
  readonly distribution: string
  readonly node: string
  /** One-minute load average before the first measurement. */
  readonly load: number
}

export function probeHost(): HostFacts {
  return {
    kernel: release(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    cgroups: cgroupLayout(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    node: process.version,
    load: loadavg()[0] ?? 0,
  }
}

function cgroupLayout(): string {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return 'v2'
  const hierarchies = readdirSync('/sys/fs/cgroup', { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const hybrid = hierarchies.some((entry) => entry.name === 'unified')
  return `v1${hybrid ? ' (hybrid)' : ''}, ${hierarchies.length} hierarchies`
}
