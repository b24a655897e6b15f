import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { controllerDirectory, freshCgroupFiles, probeCgroups, REAL_CGROUP_SOURCES } from './cgroups'
import type { CgroupFacts, HostFacts } from './facts'
import { probeResctrl } from './resctrl'
import { isSelinuxEnabled, probeApparmor } from './security-modules'
import { probeSystemd } from './systemd'
import { type HostView, OWN_VIEW } from './view'

const UNKNOWN_CGROUPS: CgroupFacts = { version: 0 }

/** Which of the dearer facts a configuration asks for; what it does not need is not read. */
export interface ProbeNeeds {
  /** The process goes into cgroups that are known already: nobody looks for the host's. */
  readonly cgroupsKnown?: boolean
  /** linux.namespaces[].path. */
  readonly namespacePaths: readonly string[]
  /** linux.resources.hugepageLimits has some. */
  readonly hugepages: boolean
  /** linux.resources.blockIO has weights. */
  readonly blockIOWeights: boolean
  /** Some text is as long as the kernel's limits by pages. */
  readonly longTexts: boolean
  /** process.apparmorProfile is there. */
  readonly apparmor: boolean
  /** process.selinuxLabel or linux.mountLabel is there. */
  readonly selinux: boolean
  /** The environment of a caller who wants systemd to make the cgroup. */
  readonly systemd?: Readonly<Record<string, string | undefined>> | undefined
  /** Name of the resctrl group that linux.intelRdt asks for. */
  readonly resctrlGroup?: string | undefined
}

const HUGEPAGES = '/sys/kernel/mm/hugepages'
const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const

function probeNamespaces(paths: readonly string[], view: HostView): Readonly<Record<string, string>> {
  const out: Record<string, string> = {}
  const note = (name: string, identity: string | undefined) => {
    if (identity !== undefined) out[name] = identity
  }
  // The caller's own are of use only to compare with others.
  for (const name of paths.length === 0 ? [] : NAMESPACES) note(name, view.ownNamespace(name))
  for (const path of paths) note(path, view.namespaceIdentity(path))
  return out
}

/** "hugepages-2048kB" as the hugetlb controller names it: "2MB" (base 1024). */
export function hugepageName(directory: string): string | undefined {
  const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(directory)?.[1] ?? Number.NaN)
  if (Number.isNaN(kilobytes)) return undefined
  if (kilobytes >= 1 << 20) return `${kilobytes / (1 << 20)}GB`
  return kilobytes >= 1 << 10 ? `${kilobytes / (1 << 10)}MB` : `${kilobytes}KB`
}

function probeHugepageSizes(): readonly string[] {
  if (!existsSync(HUGEPAGES)) return []
  return readdirSync(HUGEPAGES).flatMap((name) => hugepageName(name) ?? [])
}

/**
 * v1 only: there every cgroup has the files of its hierarchy. On v2 the root does not show them, nor does a child whose
 * controller is not enabled: which of two files it is, the engine sees in the container's own cgroup.
 */
function probeCgroupFiles(cgroup: CgroupFacts, needs: ProbeNeeds): readonly string[] {
  if (cgroup.version !== 1) return []
  const controllers: string[] = []
  if (needs.blockIOWeights) controllers.push('blkio')
  if (needs.hugepages) controllers.push('hugetlb')
  const directories = new Set(controllers.flatMap((controller) => controllerDirectory(cgroup, controller) ?? []))
  return [...directories].flatMap(freshCgroupFiles)
}

/** Whether the caller is not in the initial user namespace (user_namespaces(7)). */
export function inUserNamespace(self = OWN_VIEW.self): boolean {
  const map = `${self}/uid_map`
  if (!existsSync(map)) return false
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync(map, 'utf8'))
}

/** uname -m by node's name of the architecture; node:os would say it too, for a quarter of a millisecond. */
const MACHINES: Readonly<Record<string, string>> = {
  arm: 'armv7l',
  arm64: 'aarch64',
  ia32: 'i686',
  loong64: 'loongarch64',
  mips: 'mips',
  mipsel: 'mips',
  // node runs on little-endian POWER only.
  ppc64: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x86_64',
}

const SMALLEST_PAGE = 4096

/** The page size of a process, which is the kernel's (proc(5) smaps). */
function probePageSize(self: string): number {
  const kilobytes = /^KernelPageSize:\s+(\d+) kB$/m.exec(readFileSync(`${self}/smaps`, 'utf8'))?.[1]
  return kilobytes === undefined ? SMALLEST_PAGE : Number(kilobytes) * 1024
}

/** Look at the host once. Errors: node's own for a /proc or /sys that cannot be read. */
export function probeHost(needs: ProbeNeeds, view: HostView = OWN_VIEW): HostFacts {
  const { memory } = view
  const euid = process.geteuid?.() ?? 0
  // A caller of a planner is in its user namespace.
  const nested = memory.fact('user namespace', () => inUserNamespace())
  const cgroup =
    needs.cgroupsKnown === true
      ? UNKNOWN_CGROUPS
      : probeCgroups({ ...REAL_CGROUP_SOURCES, view }, nested || euid !== 0, memory)
  if (needs.blockIOWeights || needs.hugepages) view.looksBeyond()
  const cgroupFiles = probeCgroupFiles(cgroup, needs)
  return {
    cgroup,
    euid,
    egid: process.getegid?.() ?? 0,
    inUserNamespace: nested,
    deniesSetgroups: nested && readFileSync(`${view.self}/setgroups`, 'utf8').trim() === 'deny',
    lastCapability: memory.fact('capabilities', () => Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'))),
    machine: MACHINES[process.arch] ?? process.arch,
    namespaces: probeNamespaces(needs.namespacePaths, view),
    pageSize: needs.longTexts ? probePageSize(view.self) : SMALLEST_PAGE,
    hugepageSizes: needs.hugepages ? probeHugepageSizes() : [],
    // v2 has had them since Linux 5.7, and there is no cgroup to look for them before the controller is enabled.
    hugetlbReservations: cgroup.version === 2 || cgroupFiles.some((name) => /^hugetlb\..*\.rsvd\./.test(name)),
    swap: memory.fact('swap', () => existsSync('/proc/swaps')),
    cgroupFiles,
    apparmor: needs.apparmor ? probeApparmor(view) : 'off',
    selinux: needs.selinux && isSelinuxEnabled(view),
    systemd: needs.systemd === undefined ? undefined : probeSystemd(cgroup.version, euid, needs.systemd, view),
    resctrl: needs.resctrlGroup === undefined ? undefined : probeResctrl(needs.resctrlGroup, `${view.self}/mountinfo`),
  }
}
