import { TsruncError } from '../errors'
import type { HostFacts } from '../host/facts'
import type { NamespaceType, Spec } from '../spec/types'
import { NAMESPACES } from '../tables/namespaces'

/** host: the caller's own, also where its path is given; joined: another one, by path. */
export type NamespaceKind = 'host' | 'new' | 'joined'

export interface NamespacePlan {
  readonly kinds: Readonly<Record<NamespaceType, NamespaceKind>>
  /** Paths of the joined ones by type. */
  readonly paths: Readonly<Partial<Record<NamespaceType, string>>>
}

/**
 * config-linux.md "Namespaces". A path which leads to the caller's own namespace is nothing to enter; setns(2) would
 * even refuse it for the user namespace. An empty path counts as absent, as for runc.
 */
export function planNamespaces(spec: Spec, facts: HostFacts): NamespacePlan {
  const kinds: Record<NamespaceType, NamespaceKind> = {
    pid: 'host',
    network: 'host',
    mount: 'host',
    ipc: 'host',
    uts: 'host',
    user: 'host',
    cgroup: 'host',
    time: 'host',
  }
  const paths: Partial<Record<NamespaceType, string>> = {}
  for (const { type, path = '' } of spec.linux?.namespaces ?? []) {
    if (path === '') {
      kinds[type] = 'new'
      continue
    }
    const identity = facts.namespaces[path]
    if (identity !== undefined && identity === facts.namespaces[NAMESPACES[type].file]) continue
    kinds[type] = 'joined'
    paths[type] = path
  }
  return { kinds, paths }
}

/** Something that would change the host, because the namespace it belongs to is the caller's own. */
export function hostNamespace(pointer: string, what: string, type: NamespaceType): TsruncError {
  const reason = `the container's ${type} namespace is the host's own, so the host would be changed`
  return new TsruncError('HOST_NAMESPACE', `${what}: ${reason}; give the container a new one`, { pointer })
}
