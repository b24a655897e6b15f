import { NAMESPACES } from '../../tables/namespaces'
import { PLAN_VERSION, type Plan, type PlanHeader } from '../plan'
import { externalMounts, type MountInfo } from './mountinfo'
import { type CriuOptions, commonOptions, externalMount, FIELD, NAMESPACE_KEYS, REQUEST } from './options'
import { ProtobufWriter } from './protobuf'

export interface CheckpointOptions extends CriuOptions {
  readonly leaveRunning: boolean
  readonly linkRemap: boolean
  readonly tcpSkipInFlight: boolean
  /** The memory alone, of a container that goes on; a later checkpoint names it as its parent. */
  readonly preDump: boolean
  /** Directory of an earlier checkpoint or pre-dump, relative to that of the images; '' is none. */
  readonly parentPath: string
  /** Where pages go instead of into files. */
  readonly pageServer: { readonly address: string; readonly port: number } | undefined
  /** Descriptor of the caller, to which CRIU writes a NUL byte once its page server serves. */
  readonly statusFd: number | undefined
}

/** One of the first process's standard streams. */
export interface Stream {
  /** What /proc/PID/fd/N leads to, as in "pipe:[1234]" or a path. */
  readonly link: string
  /** mnt_id of /proc/PID/fdinfo/N. */
  readonly mountId: number
  /** The name by which CRIU leaves it to us, criu(8) --external: of a regular file or a device; '' is none. */
  readonly key: string
}

/** The container as it is now. */
export interface RunningContainer {
  readonly header: PlanHeader
  readonly rootfs: string
  readonly pid: number
  readonly mounts: readonly MountInfo[]
  readonly hostMounts: readonly MountInfo[]
  /** 0, 1 and 2. */
  readonly streams: readonly Stream[]
  /** Its cgroup that freezes it, absolute; empty: it has none. */
  readonly freezer: string
  /** Its controllers of cgroup v1; empty: cgroup v2 has all. */
  readonly controllers: readonly string[]
  /** Inodes of namespaces that were joined by path. */
  readonly joined: Readonly<Partial<Record<keyof typeof NAMESPACE_KEYS, bigint>>>
}

/** In the directory of images, as runc writes it: what the standard streams were. */
export const DESCRIPTORS_FILE = 'descriptors.json'
/** There too: what CRIU leaves to us, of {@link Outside}. */
export const OUTSIDE_FILE = 'tsrunc-outside.json'

export interface Outside {
  /** Standard streams on files outside of the container, by the name under which CRIU knows them; '' is none. */
  readonly streams: readonly string[]
  /** Mount points of what is mounted from outside of the container. */
  readonly mounts: readonly string[]
}

/** Those that are on no mount of the container. */
function outsideFiles({ streams, mounts }: RunningContainer): readonly string[] {
  const inside = new Set(mounts.map(({ id }) => id))
  return streams.map(({ key, mountId }) => (inside.has(mountId) ? '' : key))
}

const mountsOutside = ({ mounts, hostMounts }: RunningContainer): readonly string[] =>
  externalMounts(mounts, hostMounts)

const LOG_FILE = 'dump.log'

/** criu_page_server_info of rpc.proto. */
const pageServerMessage = ({ address, port }: NonNullable<CheckpointOptions['pageServer']>): Uint8Array =>
  new ProtobufWriter().text(1, address).number(2, port).finish()

function dumpOptions(options: CheckpointOptions, container: RunningContainer): Uint8Array {
  const writer = commonOptions(options, container.rootfs, LOG_FILE)
    .number(FIELD.pid, container.pid)
    .flag(FIELD.leaveRunning, options.leaveRunning)
    .flag(FIELD.linkRemap, options.linkRemap)
    .flag(FIELD.tcpSkipInFlight, options.tcpSkipInFlight)
    .flag(FIELD.trackMemory, options.preDump || options.parentPath !== '')
  const { pageServer, parentPath, statusFd } = options
  if (parentPath !== '') writer.text(FIELD.parentImages, parentPath)
  if (pageServer !== undefined) writer.bytes(FIELD.pageServer, pageServerMessage(pageServer))
  if (statusFd !== undefined) writer.number(FIELD.statusDescriptor, statusFd)
  // By it CRIU stops all processes at once, and goes on from where a pause left them.
  if (container.freezer !== '') writer.text(FIELD.freezeCgroup, container.freezer)
  // Beside v1 a tree of v2 may be mounted, which nobody made cgroups in for the container: CRIU would save all of it.
  for (const controller of container.controllers) writer.text(FIELD.dumpController, controller)
  for (const path of mountsOutside(container)) writer.text(FIELD.external, externalMount(path, path))
  for (const key of outsideFiles(container)) {
    if (key !== '') writer.text(FIELD.external, key)
  }
  for (const type of ['network', 'pid'] as const) {
    const inode = container.joined[type]
    if (inode !== undefined) {
      writer.text(FIELD.external, `${NAMESPACES[type].file}[${inode}]:${NAMESPACE_KEYS[type]}`)
    }
  }
  return writer.finish()
}

/** Everything that a checkpoint does. Pure. */
export function planCheckpoint(options: CheckpointOptions, container: RunningContainer): Plan {
  const json = (value: unknown): string => `${JSON.stringify(value)}\n`
  const outside: Outside = { streams: outsideFiles(container), mounts: mountsOutside(container) }
  const files = options.preDump
    ? []
    : [
        [DESCRIPTORS_FILE, json(container.streams.map(({ link }) => link))] as const,
        [OUTSIDE_FILE, json(outside)] as const,
      ]
  return Object.freeze({
    version: PLAN_VERSION,
    header: { ...container.header, config: new Uint8Array() },
    create: [
      {
        kind: 'dumpContainer',
        pointer: '',
        what: 'save the container',
        criu: options.criu,
        environment: options.environment,
        options: dumpOptions(options, container),
        imagePath: options.imagePath,
        workPath: options.workPath,
        logFile: LOG_FILE,
        lazy: options.lazyPages,
        request: options.preDump ? REQUEST.preDump : REQUEST.dump,
        fileNames: files.map(([name]) => name),
        fileTexts: files.map(([, text]) => text),
      },
    ],
    init: [],
    initStart: [],
    start: [],
    delete: [],
  } satisfies Plan)
}
