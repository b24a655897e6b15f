import { seccompBinding } from '../native/binding'
import { CAPABILITIES } from '../tables/capabilities'
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from '../tables/memory-policy'
import { MOUNT_OPTIONS } from '../tables/mount-options'
import { NAMESPACES } from '../tables/namespaces'
import { OCI_VERSION_MAX, OCI_VERSION_MIN } from '../tables/oci-version'
import { SECCOMP_ACTIONS, SECCOMP_ARCHITECTURES, SECCOMP_FLAGS, SECCOMP_OPERATORS } from '../tables/seccomp'
import { COMMIT, VERSION } from '../version'

/** features.md and features-linux.md of the specification. */
export interface Features {
  readonly ociVersionMin: string
  readonly ociVersionMax: string
  readonly hooks: readonly string[]
  readonly mountOptions: readonly string[]
  readonly linux: LinuxFeatures
  readonly annotations: Readonly<Record<string, string>>
  readonly potentiallyUnsafeConfigAnnotations: readonly string[]
}

interface Enabled {
  readonly enabled: boolean
}

export interface LinuxFeatures {
  readonly namespaces: readonly string[]
  readonly capabilities: readonly string[]
  readonly cgroup: Readonly<Record<'v1' | 'v2' | 'systemd' | 'systemdUser' | 'rdma', boolean>>
  readonly seccomp: Enabled &
    Readonly<Record<'actions' | 'operators' | 'archs' | 'knownFlags' | 'supportedFlags', readonly string[]>>
  readonly apparmor: Enabled
  readonly selinux: Enabled
  readonly intelRdt: Enabled & { readonly schemata: boolean; readonly monitoring: boolean }
  readonly mountExtensions: { readonly idmap: Enabled }
  readonly memoryPolicy: { readonly modes: readonly string[]; readonly flags: readonly string[] }
  readonly netDevices: Enabled
}

/** In the order in which they are run (config.md "POSIX-platform Hooks"). */
const HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const

function seccompFeatures(): LinuxFeatures['seccomp'] {
  const native = seccompBinding()
  const knownFlags = Object.keys(SECCOMP_FLAGS)
  return {
    enabled: true,
    actions: Object.keys(SECCOMP_ACTIONS),
    operators: Object.keys(SECCOMP_OPERATORS),
    archs: SECCOMP_ARCHITECTURES.filter((name) => native.knowsArchitecture(name)),
    knownFlags,
    supportedFlags: knownFlags.filter((name) => native.supportsFlag(name)),
  }
}

function annotations(): Readonly<Record<string, string>> {
  return {
    'io.github.seccomp.libseccomp.version': seccompBinding().version,
    // Engines look for runc's name, whatever the runtime.
    'org.opencontainers.runc.checkpoint.enabled': 'true',
    ...(COMMIT === '' ? {} : { 'run.oci.tsrunc.commit': COMMIT }),
    'run.oci.tsrunc.node.version': process.versions.node,
    'run.oci.tsrunc.version': VERSION,
  }
}

/** What this runtime does, whatever the host can (features.md): only what is built is listed. */
export function features(): Features {
  return {
    ociVersionMin: OCI_VERSION_MIN,
    ociVersionMax: OCI_VERSION_MAX,
    hooks: HOOKS,
    mountOptions: Object.keys(MOUNT_OPTIONS),
    linux: {
      namespaces: Object.keys(NAMESPACES).sort(),
      capabilities: Object.keys(CAPABILITIES),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: seccompFeatures(),
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      mountExtensions: { idmap: { enabled: true } },
      memoryPolicy: { modes: Object.keys(MEMORY_POLICY_MODES), flags: Object.keys(MEMORY_POLICY_FLAGS) },
      netDevices: { enabled: true },
    },
    annotations: annotations(),
    // Those that name files of the host, or take from the confinement; every one of crun is worth an engine's filter.
    potentiallyUnsafeConfigAnnotations: ['org.systemd.property.', 'run.oci.'],
  }
}
