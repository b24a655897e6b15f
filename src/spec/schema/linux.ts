import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from '../../tables/memory-policy'
import { NAMESPACES } from '../../tables/namespaces'
import { PERSONALITY_DOMAINS } from '../../tables/personality'
import { BOOLEAN, form, listOf, mapOf, object, ref, type Schemas, STRING, STRINGS, words } from './schema'
import { ROOTFS_PROPAGATIONS } from './words'

/** config-linux.md, but for its chapters on cgroups (cgroups.ts) and seccomp (seccomp.ts). */
export const LINUX: Schemas = {
  linux: object({
    namespaces: listOf(ref('namespace')),
    uidMappings: listOf(ref('idMapping')),
    gidMappings: listOf(ref('idMapping')),
    timeOffsets: ref('timeOffsets'),
    devices: listOf(ref('device')),
    netDevices: mapOf(ref('netDevice')),
    cgroupsPath: STRING,
    resources: ref('resources'),
    sysctl: mapOf(STRING),
    seccomp: ref('seccomp'),
    rootfsPropagation: words(ROOTFS_PROPAGATIONS),
    maskedPaths: listOf(form('absolutePath')),
    readonlyPaths: listOf(form('absolutePath')),
    mountLabel: STRING,
    intelRdt: ref('intelRdt'),
    personality: ref('personality'),
    memoryPolicy: ref('memoryPolicy'),
  }),
  namespace: object({ type: words(Object.keys(NAMESPACES)), path: STRING }, 'type'),
  /** "Offset for Time Namespace"; other clocks are a rule's matter (rules/namespaces.ts). */
  timeOffsets: object({ monotonic: ref('timeOffset'), boottime: ref('timeOffset') }),
  timeOffset: object({ secs: form('int64'), nanosecs: form('nanoseconds') }),
  device: object(
    {
      type: words(['c', 'b', 'u', 'p']),
      path: form('absolutePath'),
      major: form('deviceNumber'),
      minor: form('deviceNumber'),
      fileMode: form('uint32'),
      uid: form('userId'),
      gid: form('userId'),
    },
    'type',
    'path',
  ),
  netDevice: object({ name: STRING }),
  intelRdt: object({
    closID: STRING,
    l3CacheSchema: STRING,
    memBwSchema: STRING,
    schemata: STRINGS,
    enableMonitoring: BOOLEAN,
    /** The last two until 1.3 of the specification. */
    enableCMT: BOOLEAN,
    enableMBM: BOOLEAN,
  }),
  personality: object({ domain: words(Object.keys(PERSONALITY_DOMAINS)), flags: STRINGS }, 'domain'),
  memoryPolicy: object(
    {
      mode: words(Object.keys(MEMORY_POLICY_MODES)),
      nodes: form('nodeList'),
      flags: listOf(words(Object.keys(MEMORY_POLICY_FLAGS))),
    },
    'mode',
  ),
}
