/**
 * The OCI runtime specification's config.json for Linux, as types. A value of these types has passed the schema and
 * the rules; nothing outside of spec/ sees one that has not.
 */

/** int64 or uint64: a bigint where a number would not be exact. */
export type Integer = number | bigint

export interface Spec {
  readonly ociVersion: string
  readonly process?: Process
  readonly root?: Root
  readonly hostname?: string
  readonly domainname?: string
  readonly mounts?: readonly Mount[]
  readonly hooks?: Hooks
  readonly annotations?: Readonly<Record<string, string>>
  readonly linux?: Linux
}

export interface Root {
  readonly path: string
  readonly readonly?: boolean
}

export interface Mount {
  readonly destination: string
  readonly source?: string
  readonly type?: string
  readonly options?: readonly string[]
  readonly uidMappings?: readonly IdMapping[]
  readonly gidMappings?: readonly IdMapping[]
}

export interface IdMapping {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}

export interface Process {
  readonly terminal?: boolean
  readonly consoleSize?: { readonly height: Integer; readonly width: Integer }
  readonly cwd: string
  readonly env?: readonly string[]
  readonly args?: readonly string[]
  readonly commandLine?: string
  readonly rlimits?: readonly Rlimit[]
  readonly apparmorProfile?: string
  readonly capabilities?: Capabilities
  readonly noNewPrivileges?: boolean
  readonly oomScoreAdj?: number
  readonly scheduler?: Scheduler
  readonly ioPriority?: { readonly class: string; readonly priority?: number }
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string }
  readonly selinuxLabel?: string
  readonly user?: User
}

export interface User {
  readonly uid?: number
  readonly gid?: number
  readonly umask?: number
  readonly additionalGids?: readonly number[]
}

export interface Rlimit {
  readonly type: string
  readonly soft: Integer
  readonly hard: Integer
}

export interface Capabilities {
  readonly effective?: readonly string[]
  readonly bounding?: readonly string[]
  readonly inheritable?: readonly string[]
  readonly permitted?: readonly string[]
  readonly ambient?: readonly string[]
}

export interface Scheduler {
  readonly policy: string
  readonly nice?: number
  readonly priority?: number
  readonly flags?: readonly string[]
  readonly runtime?: Integer
  readonly deadline?: Integer
  readonly period?: Integer
}

export interface Hook {
  readonly path: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly timeout?: number
}

export interface Hooks {
  readonly prestart?: readonly Hook[]
  readonly createRuntime?: readonly Hook[]
  readonly createContainer?: readonly Hook[]
  readonly startContainer?: readonly Hook[]
  readonly poststart?: readonly Hook[]
  readonly poststop?: readonly Hook[]
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

export interface Namespace {
  readonly type: NamespaceType
  readonly path?: string
}

export interface Device {
  readonly type: 'b' | 'c' | 'u' | 'p'
  readonly path: string
  readonly major?: Integer
  readonly minor?: Integer
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
}

export interface Linux {
  readonly namespaces?: readonly Namespace[]
  readonly uidMappings?: readonly IdMapping[]
  readonly gidMappings?: readonly IdMapping[]
  readonly timeOffsets?: Readonly<Record<string, { readonly secs?: Integer; readonly nanosecs?: number }>>
  readonly devices?: readonly Device[]
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>
  readonly cgroupsPath?: string
  readonly resources?: Resources
  readonly sysctl?: Readonly<Record<string, string>>
  readonly seccomp?: Seccomp
  readonly rootfsPropagation?: string
  readonly maskedPaths?: readonly string[]
  readonly readonlyPaths?: readonly string[]
  readonly mountLabel?: string
  readonly intelRdt?: IntelRdt
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] }
  readonly memoryPolicy?: { readonly mode: string; readonly nodes?: string; readonly flags?: readonly string[] }
}

export interface IntelRdt {
  readonly closID?: string
  readonly l3CacheSchema?: string
  readonly memBwSchema?: string
  readonly schemata?: readonly string[]
  readonly enableMonitoring?: boolean
  /** Until 1.3 of the specification. */
  readonly enableCMT?: boolean
  /** Until 1.3 of the specification. */
  readonly enableMBM?: boolean
}

export interface DeviceRule {
  readonly allow: boolean
  readonly type?: 'a' | 'b' | 'c'
  readonly major?: Integer
  readonly minor?: Integer
  readonly access?: string
}

export interface Resources {
  readonly devices?: readonly DeviceRule[]
  readonly memory?: MemoryLimits
  readonly cpu?: CpuLimits
  readonly pids?: { readonly limit?: Integer }
  readonly blockIO?: BlockIO
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Integer }[]
  readonly network?: {
    readonly classID?: number
    readonly priorities?: readonly { readonly name: string; readonly priority: number }[]
  }
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>
  readonly unified?: Readonly<Record<string, string>>
}

export interface MemoryLimits {
  readonly limit?: Integer
  readonly reservation?: Integer
  readonly swap?: Integer
  readonly kernel?: Integer
  readonly kernelTCP?: Integer
  readonly swappiness?: Integer
  readonly disableOOMKiller?: boolean
  readonly useHierarchy?: boolean
  readonly checkBeforeUpdate?: boolean
}

export interface CpuLimits {
  readonly shares?: Integer
  readonly quota?: Integer
  readonly burst?: Integer
  readonly period?: Integer
  readonly realtimeRuntime?: Integer
  readonly realtimePeriod?: Integer
  readonly cpus?: string
  readonly mems?: string
  readonly idle?: Integer
}

export interface WeightDevice {
  readonly major: Integer
  readonly minor: Integer
  readonly weight?: number
  readonly leafWeight?: number
}

export interface ThrottleDevice {
  readonly major: Integer
  readonly minor: Integer
  readonly rate: Integer
}

export interface BlockIO {
  readonly weight?: number
  readonly leafWeight?: number
  readonly weightDevice?: readonly WeightDevice[]
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[]
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[]
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[]
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[]
}

export interface SeccompArg {
  readonly index: number
  readonly value: Integer
  readonly valueTwo?: Integer
  readonly op: string
}

export interface SeccompSyscall {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly SeccompArg[]
}

export interface Seccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls?: readonly SeccompSyscall[]
}
