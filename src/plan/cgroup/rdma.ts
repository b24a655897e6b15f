import { shortened } from '../../errors'
import type { Resources } from '../../spec/types'
import { type Setting, segment } from './setting'

/** config-linux.md "RDMA". The same file on v1 and v2, a line for each device. */
export function rdma(devices: NonNullable<Resources['rdma']>): readonly Setting[] {
  return Object.entries(devices).map(([device, { hcaHandles, hcaObjects }]) => {
    const words = [device]
    if (hcaHandles !== undefined) words.push(`hca_handle=${hcaHandles}`)
    if (hcaObjects !== undefined) words.push(`hca_object=${hcaObjects}`)
    const pointer = `/linux/resources/rdma/${segment(device)}`
    const what = `limit RDMA resources of ${shortened(device)}`
    return { controller: 'rdma', file: 'rdma.max', value: words.join(' '), pointer, what }
  })
}
