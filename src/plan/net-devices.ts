import { quote, TsruncError } from '../errors'
import type { PlanBuilder } from './builder'
import { hostNamespace } from './namespaces'
import { pointerStep } from './paths'

const POINTER = '/linux/netDevices'

/**
 * config-linux.md "Network Devices": as soon as the network namespace is there, so that hooks find the devices in it.
 *
 * Errors: HOST_NAMESPACE, NEEDS_PRIVILEGES.
 */
export function planNetDevices({ create, spec, facts, namespaces }: PlanBuilder): void {
  for (const [device, { name = '' }] of Object.entries(spec.linux?.netDevices ?? {})) {
    const pointer = `${POINTER}/${pointerStep(device)}`
    const target = name === '' ? device : name
    const renamed = target === device ? '' : ` as ${quote(target)}`
    const what = `move network device ${quote(device)} into the container${renamed}`
    if (namespaces.kinds.network === 'host') throw hostNamespace(pointer, what, 'network')
    if (facts.euid !== 0) {
      throw new TsruncError('NEEDS_PRIVILEGES', `${what}: only root can take a network device of the host`, { pointer })
    }
    const isTemplate = target.endsWith('%d')
    const namespacePath = namespaces.paths.network ?? ''
    create.push({ kind: 'moveNetDevice', pointer, what, device, name: target, isTemplate, namespacePath })
  }
}
