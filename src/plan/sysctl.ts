import { quote, TsruncError } from '../errors'
import type { NamespaceType } from '../spec/types'
import type { PlanBuilder } from './builder'
import { hostNamespace } from './namespaces'
import { pointerStep } from './paths'

/**
 * The path beneath /proc/sys. Either '.' or '/' separates the parts, whichever comes first in the name, and the other
 * one then stands for the opposite: "net.ipv4.conf.eth0/100.forwarding" is net/ipv4/conf/eth0.100/forwarding (sysctl(8)).
 */
export function sysctlPath(name: string): string {
  if (/[./]/.exec(name)?.[0] !== '.') return name
  return name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))
}

/** ipc_namespaces(7). */
const IPC_SYSCTL = /^(?:fs\/mqueue\/|kernel\/(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$)/

/** The namespace that a sysctl belongs to, or undefined where it belongs to the whole host. */
function namespaceOf(path: string): NamespaceType | undefined {
  if (path.startsWith('net/')) return 'network'
  if (IPC_SYSCTL.test(path)) return 'ipc'
  if (path === 'kernel/domainname') return 'uts'
  return path.startsWith('user/') ? 'user' : undefined
}

/** config-linux.md "Sysctl". Errors: HOST_NAMESPACE, SYSCTL. */
export function planSysctls({ spec, init, namespaces }: PlanBuilder): void {
  for (const [name, value] of Object.entries(spec.linux?.sysctl ?? {})) {
    const pointer = `/linux/sysctl/${pointerStep(name)}`
    const what = `set sysctl ${quote(name)}`
    const path = sysctlPath(name)
    const type = namespaceOf(path)
    if (type === undefined) {
      throw new TsruncError('SYSCTL', `${what}: it belongs to no namespace, so the host would be changed`, { pointer })
    }
    if (namespaces.kinds[type] === 'host') throw hostNamespace(pointer, what, type)
    init.push({ kind: 'writeSysctl', pointer, what, path, value })
  }
}
