import type { Rule } from '../fault'
import { escapeStep } from '../json'
import type { NamespaceType } from '../types'
import { hasNamespace } from './namespaces'

const SECTION = 'config-linux.md "Sysctl"'

/** Each belongs to an IPC namespace: ipc_namespaces(7). */
const IPC_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
])

/**
 * The name with '.' between its parts. Both '.' and '/' separate; the first one in the name decides which, and the
 * other then stands for itself: "net/ipv4/conf/eth0.100/forwarding" and "net.ipv4.conf.eth0/100.forwarding" are the
 * same (sysctl(8)). Within a part, '.' is given back as '/'.
 */
export function canonicalSysctl(name: string): string {
  const dot = name.indexOf('.')
  const slash = name.indexOf('/')
  if (slash === -1 || (dot !== -1 && dot < slash)) return name
  return name.replace(/[./]/g, (character) => (character === '/' ? '.' : '/'))
}

/** The namespace which a sysctl belongs to, or undefined if it belongs to the host. */
function namespaceOf(name: string): NamespaceType | undefined {
  if (name.startsWith('net.')) return 'network'
  if (name.startsWith('fs.mqueue.') || IPC_SYSCTLS.has(name)) return 'ipc'
  if (name === 'kernel.domainname') return 'uts'
  if (name.startsWith('user.')) return 'user'
  return undefined
}

/** A sysctl outside of the container's namespaces would change the host. */
const sysctlsAreNamespaced: Rule = {
  id: 'sysctl-namespace',
  section: SECTION,
  severity: 'error',
  restsOn: ['/linux/namespaces'],
  check(spec, report) {
    for (const key of Object.keys(spec.linux?.sysctl ?? {})) {
      const name = canonicalSysctl(key)
      const pointer = `/linux/sysctl/${escapeStep(key)}`
      const namespace = namespaceOf(name)
      if (name.split('.').some((part) => part === '' || part === '/' || part === '//')) {
        report(pointer, 'is not the name of a sysctl')
      } else if (name === 'kernel.hostname') {
        report(pointer, 'cannot be set as a sysctl: use /hostname')
      } else if (namespace === undefined) {
        report(pointer, 'belongs to no namespace, so that it would be set for the whole host')
      } else if (!hasNamespace(spec, namespace)) {
        report(pointer, `needs a namespace of type ${namespace} in /linux/namespaces, or it would be set for the host`)
      }
    }
  },
}

export const SYSCTL_RULES: readonly Rule[] = [sysctlsAreNamespaced]
