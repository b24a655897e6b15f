import { TsruncError } from '../errors'
import type { Process } from '../spec/types'
import { CAPABILITIES } from '../tables/capabilities'
import { ANNOTATIONS, flagAnnotation } from './annotations'
import type { PlanBuilder } from './builder'
import { maySetGroups, requireGid, requireUid } from './id-maps'
import { hasFilter } from './seccomp-filter'

/** capabilities(7), bit N is capability N. */
export interface CapabilityMasks {
  readonly effective: bigint
  readonly permitted: bigint
  readonly inheritable: bigint
  readonly ambient: bigint
}

const SYS_ADMIN = 1n << BigInt(CAPABILITIES.CAP_SYS_ADMIN)

type CapabilitySet = 'effective' | 'bounding' | 'inheritable' | 'permitted' | 'ambient'

/** Names that the kernel has; the validation has warned of those that nobody knows. */
function mask(builder: PlanBuilder, process: Process, set: CapabilitySet): bigint {
  let out = 0n
  for (const [index, name] of (process.capabilities?.[set] ?? []).entries()) {
    if (!Object.hasOwn(CAPABILITIES, name)) continue
    const number = CAPABILITIES[name as keyof typeof CAPABILITIES]
    if (number > builder.facts.lastCapability) {
      const pointer = `/process/capabilities/${set}/${index}`
      builder.warn(`the kernel does not have the capability ${name}, it is left out (config.json ${pointer})`)
    } else {
      out |= 1n << BigInt(number)
    }
  }
  return out
}

/** Credentials of the container's process, and how they are reached where a system call filter is loaded late. */
export interface CredentialsPlan {
  readonly capabilities: CapabilityMasks
  readonly bounding: bigint
  /** CAP_SYS_ADMIN is kept until the filter is loaded: seccomp(2) needs it or no_new_privs. */
  readonly keepsAdmin: boolean
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly setgroups: boolean
}

/** crun's way to let the container have the supplementary groups of who starts it: setgroups(2) is left out. */
const keepsGroups = ({ spec }: PlanBuilder): boolean => flagAnnotation(spec, ANNOTATIONS.keepOriginalGroups)

/** Whether init calls setgroups(2). Errors: ANNOTATION. */
export const setsGroups = (builder: PlanBuilder): boolean =>
  maySetGroups(builder.facts, builder.idMaps) && !keepsGroups(builder)

/** config.md "User" and "Linux Process". Errors: ANNOTATION, ID_NOT_MAPPED, SETGROUPS. */
export function planCredentials(builder: PlanBuilder, process: Process): CredentialsPlan {
  const { uid = 0, gid = 0, additionalGids: groups = [] } = process.user ?? {}
  requireUid(builder.idMaps, uid, '/process/user/uid')
  requireGid(builder.idMaps, gid, '/process/user/gid')
  const setgroups = setsGroups(builder)
  if (setgroups) {
    groups.forEach((group, index) => {
      requireGid(builder.idMaps, group, `/process/user/additionalGids/${index}`)
    })
  } else if (groups.length > 0 && keepsGroups(builder)) {
    const reason = `the annotation ${ANNOTATIONS.keepOriginalGroups} keeps those of the caller`
    builder.warn(`additional groups are not set: ${reason} (config.json /process/user/additionalGids)`)
  } else if (groups.length > 0) {
    const message = 'additional groups cannot be set in a user namespace that was made without privileges'
    throw new TsruncError('SETGROUPS', message, { pointer: '/process/user/additionalGids' })
  }
  const permitted = mask(builder, process, 'permitted')
  const inheritable = mask(builder, process, 'inheritable')
  // capabilities(7); the validation has warned of what this leaves out.
  const capabilities = {
    effective: mask(builder, process, 'effective') & permitted,
    permitted,
    inheritable,
    ambient: mask(builder, process, 'ambient') & permitted & inheritable,
  }
  const loadsFilter = hasFilter(builder.spec) && process.noNewPrivileges !== true
  const hasAdmin = (capabilities.effective & capabilities.permitted & SYS_ADMIN) !== 0n
  const bounding = mask(builder, process, 'bounding')
  return { capabilities, bounding, keepsAdmin: loadsFilter && !hasAdmin, uid, gid, groups, setgroups }
}

/** The set that init has from its change of user until start. */
export function initCapabilities({ capabilities, keepsAdmin }: CredentialsPlan): CapabilityMasks {
  if (!keepsAdmin) return capabilities
  const { effective, permitted } = capabilities
  return { ...capabilities, effective: effective | SYS_ADMIN, permitted: permitted | SYS_ADMIN }
}

export function planBoundingSet({ init }: PlanBuilder, { bounding }: CredentialsPlan): void {
  const pointer = '/process/capabilities/bounding'
  init.push({ kind: 'setBoundingSet', pointer, what: 'drop capabilities from the bounding set', keep: bounding })
}

export function planUser({ init }: PlanBuilder, { uid, gid, groups, setgroups }: CredentialsPlan): void {
  init.push({
    kind: 'setUser',
    pointer: '/process/user',
    what: `become user ${uid}:${gid}`,
    uid,
    gid,
    groups,
    setgroups,
  })
}
