import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cgroupVersion, hierarchyOf } from './cgroups'
import { callOfI386 } from './programs'

/** A test needs what this host does not have. */
export class Unmet extends Error {}

const CAPABILITY_BITS = { CAP_SYS_RESOURCE: 24, CAP_SYS_TIME: 25, CAP_MKNOD: 27 } as const

/** Whether this process, and so the runtime, has the capability. */
export const hasCapability = (name: keyof typeof CAPABILITY_BITS): boolean => {
  const line = /CapEff:\s*([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))
  return ((BigInt(`0x${line?.[1] ?? '0'}`) >> BigInt(CAPABILITY_BITS[name])) & 1n) === 1n
}

const kernelAtLeast = (version: string): boolean => {
  const numbers = (text: string): number[] => text.split(/[.-]/).slice(0, 2).map(Number)
  const [major = 0, minor = 0] = numbers(readFileSync('/proc/sys/kernel/osrelease', 'utf8'))
  const [wantedMajor = 0, wantedMinor = 0] = numbers(version)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

const APPARMOR = '/sys/module/apparmor/parameters/enabled'

/** A security module may be built into the kernel without being enabled. */
export const apparmorEnabled = (): boolean => existsSync(APPARMOR) && readFileSync(APPARMOR, 'utf8').startsWith('Y')

/** SELinux has a policy. */
export const selinuxEnabled = (): boolean => existsSync('/sys/fs/selinux/enforce')

/** Hosts whose processors or hypervisors run code of 64 bits only leave them out. */
export const hasCallsOfI386 = (): boolean => spawnSync(callOfI386()).status === 0

const NEEDS = {
  root: () => process.geteuid?.() === 0,
  'cgroup-v1': () => cgroupVersion() === 1,
  'cgroup-v2': () => cgroupVersion() === 2,
  userns: () =>
    existsSync('/proc/self/ns/user') && !/^0$/m.test(readFileSync('/proc/sys/user/max_user_namespaces', 'utf8')),
  timens: () => existsSync('/proc/self/ns/time'),
  cgroupns: () => existsSync('/proc/self/ns/cgroup'),
  busybox: () => existsSync('/bin/busybox'),
  hugetlb: () => hierarchyOf('hugetlb') !== undefined && existsSync('/sys/kernel/mm/hugepages/hugepages-2048kB'),
  x86_64: () => process.arch === 'x64',
  'system calls of i386': hasCallsOfI386,
  nosymfollow: () => kernelAtLeast('5.10'),
  mount_setattr: () => kernelAtLeast('5.12'),
  apparmor: () => apparmorEnabled() && existsSync('/sbin/apparmor_parser'),
  selinux: selinuxEnabled,
  systemd: () => existsSync('/run/systemd/system'),
  CAP_SYS_RESOURCE: () => hasCapability('CAP_SYS_RESOURCE'),
} as const satisfies Readonly<Record<string, () => boolean>>

export type Need = keyof typeof NEEDS

/** Ends the test as skipped, with the reason, where one of these is missing. */
export const requires = (...needs: readonly Need[]): void => {
  const missing = needs.filter((need) => !NEEDS[need]())
  if (missing.length > 0) {
    throw new Unmet(`needs ${missing.join(', ')}`)
  }
}

/** The same for a cgroup controller. */
export const requiresController = (...controllers: readonly string[]): void => {
  const missing = controllers.filter((controller) => hierarchyOf(controller) === undefined)
  if (missing.length > 0) {
    throw new Unmet(`needs ${missing.map((controller) => `the cgroup controller ${controller}`).join(', ')}`)
  }
}

/** The same for any other condition. */
export const requiresThat = (condition: boolean, what: string): void => {
  if (!condition) {
    throw new Unmet(`needs ${what}`)
  }
}
