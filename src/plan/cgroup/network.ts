import type { Resources } from '../../spec/types'
import { notConvertible, type Setting } from './setting'

type Network = NonNullable<Resources['network']>

/** config-linux.md "Network". */
export function networkV1({ classID, priorities = [] }: Network): readonly Setting[] {
  const out: Setting[] = []
  if (classID !== undefined) {
    const pointer = '/linux/resources/network/classID'
    const what = `set the network class to ${classID}`
    out.push({ controller: 'net_cls', file: 'net_cls.classid', value: String(classID), pointer, what })
  }
  priorities.forEach(({ name, priority }, index) => {
    const pointer = `/linux/resources/network/priorities/${index}`
    const what = `set the priority of network interface ${name} to ${priority}`
    out.push({ controller: 'net_prio', file: 'net_prio.ifpriomap', value: `${name} ${priority}`, pointer, what })
  })
  return out
}

/** Errors: CGROUP_NOT_CONVERTIBLE. v2 has neither controller: packets are told apart by path or by eBPF. */
export function refuseNetworkV2(network: Network): void {
  const [first] = networkV1(network)
  if (first === undefined) return
  throw notConvertible(first.what, `cgroup v2 has no ${first.controller} controller`, first.pointer)
}
