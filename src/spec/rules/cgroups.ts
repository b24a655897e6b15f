import type { Rule } from '../fault'
import { escapeStep } from '../json'

const MEMORY = 'config-linux.md "Memory"'
const CPU = 'config-linux.md "CPU"'

/** swap is the limit of memory and swap together. 0 is "not set", -1 "unlimited". */
const swapIsAboveMemory: Rule = {
  id: 'memory-swap',
  section: MEMORY,
  severity: 'error',
  restsOn: ['/linux/resources/memory/limit'],
  check({ linux }, report) {
    const { limit = 0, swap = 0 } = linux?.resources?.memory ?? {}
    if (swap <= 0) return
    if (limit <= 0) {
      report(
        '/linux/resources/memory/swap',
        `is ${swap}, but a limit of swap needs /linux/resources/memory/limit as well`,
      )
    } else if (swap < limit) {
      report('/linux/resources/memory/swap', `is ${swap}, but must not be below limit (${limit}), which it includes`)
    }
  },
}

const burstIsWithinQuota: Rule = {
  id: 'cpu-burst',
  section: CPU,
  severity: 'error',
  check({ linux }, report) {
    const { quota = 0, burst = 0 } = linux?.resources?.cpu ?? {}
    if (quota > 0 && burst > quota) {
      report('/linux/resources/cpu/burst', `is ${burst}, but must not be above quota (${quota})`)
    }
  },
}

/** The kernel's sched_group_set_rt_runtime: EINVAL. */
const realtimeIsWithinPeriod: Rule = {
  id: 'cpu-realtime',
  section: CPU,
  severity: 'error',
  check({ linux }, report) {
    const { realtimeRuntime = 0, realtimePeriod = 0 } = linux?.resources?.cpu ?? {}
    if (realtimePeriod > 0 && realtimeRuntime > realtimePeriod) {
      report(
        '/linux/resources/cpu/realtimeRuntime',
        `is ${realtimeRuntime}, but must not be above realtimePeriod (${realtimePeriod})`,
      )
    }
  },
}

/** "You MUST specify at least one of weight or leafWeight in a given entry". */
const weightDevicesHaveWeight: Rule = {
  id: 'block-weight',
  section: 'config-linux.md "Block IO"',
  severity: 'error',
  restsOn: ['/linux/resources/blockIO/weightDevice/*'],
  check({ linux }, report) {
    linux?.resources?.blockIO?.weightDevice?.forEach(({ weight, leafWeight }, index) => {
      if (weight === undefined && leafWeight === undefined) {
        report(`/linux/resources/blockIO/weightDevice/${index}`, 'must have weight or leafWeight')
      }
    })
  },
}

const pageSizesAreUnique: Rule = {
  id: 'hugepage-unique',
  section: 'config-linux.md "Huge page limits"',
  severity: 'error',
  check({ linux }, report) {
    const first = new Map<string, number>()
    linux?.resources?.hugepageLimits?.forEach(({ pageSize }, index) => {
      const earlier = first.get(pageSize)
      if (earlier === undefined) first.set(pageSize, index)
      else {
        const pointer = `/linux/resources/hugepageLimits/${index}/pageSize`
        report(pointer, `is ${pageSize}, which /linux/resources/hugepageLimits/${earlier} has set already`)
      }
    })
  },
}

/** "You MUST specify at least one of the hcaHandles or hcaObjects in a given entry". */
const rdmaHasLimit: Rule = {
  id: 'rdma-limit',
  section: 'config-linux.md "RDMA"',
  severity: 'error',
  restsOn: ['/linux/resources/rdma/*'],
  check({ linux }, report) {
    for (const [device, limits] of Object.entries(linux?.resources?.rdma ?? {})) {
      if (limits.hcaHandles === undefined && limits.hcaObjects === undefined) {
        report(`/linux/resources/rdma/${escapeStep(device)}`, 'must have hcaHandles or hcaObjects')
      }
    }
  },
}

/** Documentation/admin-guide/cgroup-v1/rdma.rst: the first word of a line. IB_DEVICE_NAME_MAX is 64, with the NUL. */
const rdmaNamesDevice: Rule = {
  id: 'rdma-device',
  section: 'config-linux.md "RDMA"',
  severity: 'error',
  check({ linux }, report) {
    for (const device of Object.keys(linux?.resources?.rdma ?? {})) {
      if (/\s/.test(device) || Buffer.byteLength(device) > 63) {
        const name = 'must have the name of an RDMA device: at most 63 bytes, without white space'
        report(`/linux/resources/rdma/${escapeStep(device)}`, name)
      }
    }
  },
}

/** NAME_MAX of limits.h is 255. */
const isFileName = (name: string): boolean =>
  !name.includes('/') && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255

/** A file of the cgroup's own directory: nothing in a cgroup above or beneath it. */
const unifiedIsFileName: Rule = {
  id: 'unified-key',
  section: 'config-linux.md "Unified"',
  severity: 'error',
  check({ linux }, report) {
    for (const file of Object.keys(linux?.resources?.unified ?? {})) {
      if (isFileName(file)) continue
      report(
        `/linux/resources/unified/${escapeStep(file)}`,
        `must be the name of a file, without a path and of at most 255 bytes`,
      )
    }
  },
}

export const CGROUP_RULES: readonly Rule[] = [
  swapIsAboveMemory,
  burstIsWithinQuota,
  realtimeIsWithinPeriod,
  weightDevicesHaveWeight,
  pageSizesAreUnique,
  rdmaHasLimit,
  rdmaNamesDevice,
  unifiedIsFileName,
]
