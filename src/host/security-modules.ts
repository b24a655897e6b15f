import { readFileSync, statfsSync } from 'node:fs'
import type { HostFacts } from './facts'
import { type HostView, OWN_VIEW } from './view'

/** linux/magic.h. */
const SELINUX_MAGIC = 0xf97cff8cn

type OwnFiles = Pick<HostView, 'memory' | 'ownText'>

/** ENOENT, or EINVAL where the kernel does not answer for lack of the module. */
const isAbsence = (code: string | undefined): boolean => code === 'ENOENT' || code === 'EINVAL'

/** What `read` reads, or undefined where that is absent. Errors: node's own, for what may be there the next time. */
function ifThere(read: () => string): string | undefined {
  try {
    return read()
  } catch (error) {
    if (isAbsence((error as NodeJS.ErrnoException).code)) return undefined
    throw error
  }
}

const isApparmorEnabled = (): boolean =>
  ifThere(() => readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1'))?.startsWith('Y') === true

/** Documentation/admin-guide/LSM/apparmor.rst: the module may be built in and not enabled. */
export function probeApparmor({ memory, ownText }: OwnFiles = OWN_VIEW): HostFacts['apparmor'] {
  if (!memory.fact('AppArmor', isApparmorEnabled)) return 'off'
  const own = (name: string) => ifThere(() => ownText(name))
  const current = own('attr/apparmor/current') ?? own('attr/current') ?? ''
  return isUnconfined(current) ? 'unconfined' : 'confined'
}

/** "unconfined", or a profile of that mode, as in "NAME (unconfined)" (apparmor.d(5) "flags"). */
export const isUnconfined = (label: string): boolean => /^(?:unconfined|.* \(unconfined\))\0?\n?$/.test(label)

function isSelinuxMounted(): boolean {
  try {
    const { type } = statfsSync('/sys/fs/selinux', { bigint: true })
    return BigInt.asUintN(32, type) === SELINUX_MAGIC
  } catch {
    return false
  }
}

/**
 * As libselinux and its Go sister tell it: selinuxfs is mounted, and a policy is loaded, without which every process is
 * "kernel".
 */
export function isSelinuxEnabled({ memory, ownText }: OwnFiles = OWN_VIEW): boolean {
  if (!memory.fact('selinuxfs', isSelinuxMounted)) return false
  const current = ifThere(() => ownText('attr/current'))?.replace(/\0$/, '') ?? ''
  return current !== '' && current !== 'kernel'
}
