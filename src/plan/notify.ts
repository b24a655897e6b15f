import { posix } from 'node:path'
import { quote, TsruncError } from '../errors'
import type { PlanOptions } from '../host/facts'
import type { Spec } from '../spec/types'
import { MOUNT_ATTR } from '../tables/mount-flags'
import type { PlanBuilder } from './builder'
import { planBind } from './mount-bind'

/** Where runc puts it. */
export const NOTIFY_DIRECTORY = '/run/notify'

/** sd_notify(3): whoever calls wants to hear when the program is ready. Errors: NOTIFY_SOCKET. */
function isAsked({ process }: Spec, { environment }: PlanOptions): boolean {
  const { NOTIFY_SOCKET: address = '' } = environment
  if (address === '' || process === undefined) return false
  if (address.startsWith('/') || address.startsWith('@')) return true
  const wanted = 'an absolute path or an abstract name ("@NAME")'
  throw new TsruncError('NOTIFY_SOCKET', `the variable NOTIFY_SOCKET must be ${wanted}, not ${quote(address)}`)
}

/**
 * Mounts the directory in which `start` will make a socket, behind all mounts of the configuration. Returns the variable
 * that tells the program.
 */
export function planNotify(builder: PlanBuilder): readonly string[] {
  const { spec, options, trees } = builder
  if (!isAsked(spec, options)) return []
  trees.unshift({ kind: 'makeNotifyDirectory', pointer: '', what: 'make the directory of the notify socket' })
  planBind(builder, {
    pointer: '',
    what: `mount ${quote(NOTIFY_DIRECTORY)} for NOTIFY_SOCKET`,
    source: posix.join(options.root, options.id, 'notify'),
    destination: NOTIFY_DIRECTORY,
    recursive: false,
    set: MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC,
    clear: 0n,
    setAll: 0n,
    clearAll: 0n,
    propagation: [],
  })
  return [`NOTIFY_SOCKET=${NOTIFY_DIRECTORY}/notify.sock`]
}
