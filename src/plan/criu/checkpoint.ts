import { NAMESPACES } from '../../tables/namespaces'
import { PLAN_VERSION, type Plan, type PlanHeader } from '../plan'
import { externalMounts, type MountInfo } from './mountinfo'
import { type CriuOptions, commonOptions, externalMount, FIELD, NAMESPACE_KEYS } from './options'

export interface CheckpointOptions extends CriuOptions {
  readonly leaveRunning: boolean
  readonly linkRemap: boolean
}

/** One of the first process's standard streams. */
export interface Stream {
  /** What /proc/PID/fd/N leads to, as in "pipe:[1234]" or a path. */
  readonly link: string
  /** mnt_id of /proc/PID/fdinfo/N. */
  readonly mountId: number
  readonly inode: bigint
  /** A regular file or a device that is no terminal: what can be handed over at a restore. */
  readonly isFile: boolean
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
  /** Inodes of namespaces that were joined by path. */
  readonly joined: Readonly<Partial<Record<keyof typeof NAMESPACE_KEYS, bigint>>>
}

/** In the directory of images, as runc writes it: what the standard streams were. */
export const DESCRIPTORS_FILE = 'descriptors.json'
/** There too: streams on files outside of the container, by the name under which CRIU knows them; '' is none. */
export const OUTSIDE_FILE = 'tsrunc-outside.json'

/** criu(8) --external: "file[mnt_id:inode]" in hexadecimal digits. */
function outsideFiles({ streams, mounts }: RunningContainer): readonly string[] {
  const inside = new Set(mounts.map(({ id }) => id))
  return streams.map(({ isFile, mountId, inode }) =>
    isFile && !inside.has(mountId) ? `file[${mountId.toString(16)}:${inode.toString(16)}]` : '',
  )
}

const LOG_FILE = 'dump.log'

function dumpOptions(options: CheckpointOptions, container: RunningContainer): Uint8Array {
  const writer = commonOptions(options, container.rootfs, LOG_FILE)
    .number(FIELD.pid, container.pid)
    .flag(FIELD.leaveRunning, options.leaveRunning)
    .flag(FIELD.linkRemap, options.linkRemap)
  // By it CRIU stops all processes at once, and goes on from where a pause left them.
  if (container.freezer !== '') writer.text(FIELD.freezeCgroup, container.freezer)
  for (const path of externalMounts(container.mounts, container.hostMounts)) {
    writer.text(FIELD.external, externalMount(path, path))
  }
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
        fileNames: [DESCRIPTORS_FILE, OUTSIDE_FILE],
        fileTexts: [json(container.streams.map(({ link }) => link)), json(outsideFiles(container))],
      },
    ],
    init: [],
    initStart: [],
    start: [],
    delete: [],
  } satisfies Plan)
}
