import { readFileSync, statfsSync } from 'node:fs'
import type { HostFacts } from './facts'
import { OWN_VIEW } from './view'

/** linux/magic.h. */
const SELINUX_MAGIC = 0xf97cff8cn

/** The file's text, or undefined where it does not exist or the kernel does not answer for lack of the module. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

/** Documentation/admin-guide/LSM/apparmor.rst: the module may be built in and not enabled. */
export function probeApparmor(self = OWN_VIEW.self): HostFacts['apparmor'] {
  if (readIfThere('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') !== true) return 'off'
  const current = readIfThere(`${self}/attr/apparmor/current`) ?? readIfThere(`${self}/attr/current`) ?? ''
  return isUnconfined(current) ? 'unconfined' : 'confined'
}

/** "unconfined", or a profile of that mode, as in "NAME (unconfined)" (apparmor.d(5) "flags"). */
export const isUnconfined = (label: string): boolean => /^(?:unconfined|.* \(unconfined\))\0?\n?$/.test(label)

/**
 * As libselinux and its Go sister tell it: selinuxfs is mounted, and a policy is loaded, without which every process is
 * "kernel".
 */
export function isSelinuxEnabled(self = OWN_VIEW.self): boolean {
  try {
    const { type } = statfsSync('/sys/fs/selinux', { bigint: true })
    if (BigInt.asUintN(32, type) !== SELINUX_MAGIC) return false
  } catch {
    return false
  }
  const current = readIfThere(`${self}/attr/current`)?.replace(/\0$/, '') ?? ''
  return current !== '' && current !== 'kernel'
}
