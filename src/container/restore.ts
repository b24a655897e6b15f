import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { quote, TsruncError } from '../errors'
import { DESCRIPTORS_FILE, OUTSIDE_FILE, type Outside } from '../plan/criu/checkpoint'
import { type RestoreOptions, resolveRestore } from '../plan/criu/restore'
import { type CreateOptions, few, type Planned, readContainer, type Surroundings } from './create'
import { checkLazyPages, checkVersion, configOf } from './criu'

/** What the caller says of a restore. Paths are absolute. */
export type CriuFlags = Omit<RestoreOptions, 'descriptors' | 'outside' | 'configFile'>

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

/** JSON of a file of the checkpoint, or undefined where another runtime made it without. Errors: CHECKPOINT. */
function readJson(imagePath: string, name: string): unknown {
  const path = join(imagePath, name)
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new TsruncError('CHECKPOINT', `read ${quote(path)} of the checkpoint: ${(cause as Error).message}`, { cause })
  }
}

const damaged = (imagePath: string, name: string): TsruncError =>
  new TsruncError('CHECKPOINT', `read ${quote(join(imagePath, name))} of the checkpoint: it is damaged`)

const STREAMS = 3

/** Errors: CHECKPOINT. */
function readDescriptors(imagePath: string): readonly string[] {
  const value = readJson(imagePath, DESCRIPTORS_FILE) ?? []
  if (!isTexts(value)) throw damaged(imagePath, DESCRIPTORS_FILE)
  return value.slice(0, STREAMS)
}

/** Errors: CHECKPOINT. */
function readOutside(imagePath: string): Outside {
  const value = readJson(imagePath, OUTSIDE_FILE) ?? { streams: [], mounts: [] }
  const { streams, mounts } = value as Partial<Outside>
  if (!isTexts(streams) || !isTexts(mounts)) throw damaged(imagePath, OUTSIDE_FILE)
  return { streams: streams.slice(0, STREAMS), mounts }
}

/** Errors: CHECKPOINT. */
function checkImages(imagePath: string): void {
  const found = `--image-path: ${quote(imagePath)} is not`
  if (statSync(imagePath, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new TsruncError('CHECKPOINT', `${found} a directory`)
  }
  if (statSync(join(imagePath, 'inventory.img'), { throwIfNoEntry: false }) !== undefined) return
  const why = 'it has no inventory.img, which a finished checkpoint has'
  throw new TsruncError('CHECKPOINT', `${found} a checkpoint: ${why}`)
}

/** Decide how a container goes on. Errors: those of readContainer and resolveRestore; CHECKPOINT, CRIU_VERSION, CRIU_FEATURE. */
export function planRestored(options: CreateOptions, flags: CriuFlags, { view }: Pick<Surroundings, 'view'>): Planned {
  const { imagePath } = flags
  checkImages(imagePath)
  const { spec, planOptions, facts, advice } = readContainer(options, view)
  checkVersion(flags.criu, flags.environment)
  if (flags.lazyPages) checkLazyPages(flags.criu, flags.environment)
  const resolved = resolveRestore(spec, planOptions, facts, {
    ...flags,
    configFile: configOf(spec),
    descriptors: readDescriptors(imagePath),
    outside: readOutside(imagePath),
  })
  return { plan: resolved.plan, warnings: few([...advice, ...resolved.warnings]) }
}
