import { NAMESPACES } from '../../tables/namespaces'
import { ProtobufWriter } from './protobuf'

/** Who cares for cgroups, as CRIU's --manage-cgroups and enum criu_cg_mode have it. */
export const CGROUP_MODES = { ignore: 0, none: 1, props: 2, soft: 3, full: 4, strict: 5 } as const
export type CgroupMode = keyof typeof CGROUP_MODES

/** How packets are kept away meanwhile: enum criu_network_lock_method. */
export const NETWORK_LOCKS = { iptables: 1, nftables: 2, skip: 3 } as const
export type NetworkLock = keyof typeof NETWORK_LOCKS

/** The flags that checkpoint and restore share. Paths are absolute. */
export interface CriuOptions {
  /** The executable. */
  readonly criu: string
  /** Of that executable; PATH leads to what it calls itself (ip, iptables, tar). */
  readonly environment: readonly string[]
  readonly imagePath: string
  /** Logs go here. */
  readonly workPath: string
  readonly tcpEstablished: boolean
  readonly extUnixSk: boolean
  readonly shellJob: boolean
  readonly fileLocks: boolean
  readonly cgroupMode: CgroupMode
  readonly networkLock: NetworkLock
  /** The container's network is left empty: whoever restores it fills it. */
  readonly emptyNetwork: boolean
  readonly autoDedup: boolean
  readonly lazyPages: boolean
  /** A file with more options of CRIU, which come before these; '' is none. */
  readonly configFile: string
}

/** Numbers of the fields of criu_opts in CRIU's rpc.proto. */
export const FIELD = {
  pid: 2,
  leaveRunning: 3,
  extUnixSk: 4,
  tcpEstablished: 5,
  evasiveDevices: 6,
  shellJob: 7,
  fileLocks: 8,
  logLevel: 9,
  logFile: 10,
  notifyScripts: 12,
  pageServer: 11,
  root: 13,
  parentImages: 14,
  trackMemory: 15,
  autoDedup: 16,
  linkRemap: 18,
  cgroupRoot: 25,
  restoreSibling: 26,
  inheritDescriptor: 27,
  externalMasters: 30,
  cgroupMode: 34,
  external: 37,
  emptyNamespaces: 38,
  joinNamespace: 39,
  dumpController: 43,
  freezeCgroup: 44,
  tcpSkipInFlight: 46,
  lazyPages: 48,
  statusDescriptor: 49,
  orphanPtsMaster: 50,
  configFile: 51,
  tcpClose: 52,
  lsmProfile: 53,
  lsmMountContext: 63,
  networkLock: 64,
} as const

/** All that CRIU has to say of what it does; the log is read when it fails. */
const LOG_LEVEL = 4

/** criu_req_type of rpc.proto. */
export const REQUEST = { dump: 1, restore: 2, preDump: 4 } as const

/** What a dump and a restore have in common. The engine adds the descriptors of the directories. */
export function commonOptions(options: CriuOptions, rootfs: string, logFile: string): ProtobufWriter {
  const writer = new ProtobufWriter()
    .number(FIELD.logLevel, LOG_LEVEL)
    .text(FIELD.logFile, logFile)
    .text(FIELD.root, rootfs)
    .flag(FIELD.notifyScripts, true)
    .flag(FIELD.evasiveDevices, true)
    .flag(FIELD.orphanPtsMaster, true)
    .flag(FIELD.externalMasters, true)
    .flag(FIELD.tcpEstablished, options.tcpEstablished)
    .flag(FIELD.extUnixSk, options.extUnixSk)
    .flag(FIELD.shellJob, options.shellJob)
    .flag(FIELD.fileLocks, options.fileLocks)
    .number(FIELD.cgroupMode, CGROUP_MODES[options.cgroupMode])
    .number(FIELD.networkLock, NETWORK_LOCKS[options.networkLock])
    .flag(FIELD.autoDedup, options.autoDedup)
    .flag(FIELD.lazyPages, options.lazyPages)
  if (options.emptyNetwork) writer.number(FIELD.emptyNamespaces, Number(NAMESPACES.network.flag))
  if (options.configFile !== '') writer.text(FIELD.configFile, options.configFile)
  return writer
}

/** The name under which a dump and its restore speak of a mount from outside of the container. */
export const externalMount = (name: string, value: string): string => `mnt[${name}]:${value}`

/** The same for a namespace of others, which restore hands over by descriptor. */
export const NAMESPACE_KEYS = { network: 'extRootNetNS', pid: 'extRootPidNS' } as const
