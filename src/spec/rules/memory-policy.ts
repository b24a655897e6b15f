import type { Rule } from '../fault'

const SECTION = 'config-linux.md "Memory policy"'
const WITHOUT_NODES: readonly string[] = ['MPOL_DEFAULT', 'MPOL_LOCAL']
const WITH_NODES: readonly string[] = [
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_PREFERRED_MANY',
  'MPOL_WEIGHTED_INTERLEAVE',
]

/** set_mempolicy(2) EINVAL. */
const nodesFitMode: Rule = {
  id: 'memory-policy-nodes',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    const { mode = '', nodes = '' } = linux?.memoryPolicy ?? {}
    const given = nodes.trim() !== ''
    if (given && WITHOUT_NODES.includes(mode)) report('/linux/memoryPolicy/nodes', `must be empty for ${mode}`)
    if (!given && WITH_NODES.includes(mode)) report('/linux/memoryPolicy/nodes', `must name a node for ${mode}`)
  },
}

/** set_mempolicy(2) EINVAL. */
const flagsExclude: Rule = {
  id: 'memory-policy-flags',
  section: SECTION,
  severity: 'error',
  check({ linux }, report) {
    const flags = linux?.memoryPolicy?.flags ?? []
    if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES')) {
      report('/linux/memoryPolicy/flags', 'must not have both MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES')
    }
  },
}

export const MEMORY_POLICY_RULES: readonly Rule[] = [nodesFitMode, flagsExclude]
