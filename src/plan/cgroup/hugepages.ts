import type { HostFacts } from '../../host/facts'
import type { Resources } from '../../spec/types'
import { cgroupError, type Setting } from './setting'

/**
 * config-linux.md "Huge page limits": of pages in use and, where the kernel counts them, of reservations; the latter
 * makes mmap(2) fail where the former would kill with SIGBUS.
 *
 * Errors: CGROUP_VALUE for a page size that the host does not have.
 */
export function hugepages(
  limits: NonNullable<Resources['hugepageLimits']>,
  facts: HostFacts,
  suffix: 'limit_in_bytes' | 'max',
): readonly Setting[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const pointer = `/linux/resources/hugepageLimits/${index}`
    const what = `limit huge pages of ${pageSize} to ${limit} bytes`
    if (!facts.hugepageSizes.includes(pageSize)) {
      const sizes = facts.hugepageSizes.length === 0 ? 'no huge pages' : `only ${facts.hugepageSizes.join(', ')}`
      throw cgroupError('CGROUP_VALUE', `${what}: this host has ${sizes}`, `${pointer}/pageSize`)
    }
    const files = [`hugetlb.${pageSize}.${suffix}`]
    if (facts.hugetlbReservations) files.push(`hugetlb.${pageSize}.rsvd.${suffix}`)
    return files.map((file) => ({ controller: 'hugetlb', file, value: String(limit), pointer, what }))
  })
}
