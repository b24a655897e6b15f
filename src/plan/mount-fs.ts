import { TsruncError } from '../errors'
import type { HostFacts } from '../host/facts'
import { MS } from '../tables/mount-flags'
import type { PlanBuilder } from './builder'
import { mappedId } from './id-maps'
import { fileSystemLabel, planFileLabel, quotedLabel } from './labels'
import { splitData } from './mount-data'
import { attributesOf, superWordsOf } from './mount-options'
import type { MountPlan } from './mount-plan'

/** fsconfig(2): strings have at most 256 bytes with their NUL. */
const MAX_FSCONFIG = 255

/** The options one by one, as fsconfig(2) takes them. In config.json one word may hold several. */
function splitOptions({ data, words }: FileSystemRequest): {
  readonly options: readonly string[]
  readonly words: readonly number[]
} {
  if (!data.some((word) => /[,"]/.test(word))) return { options: data, words }
  const parts = data.flatMap((word, at) => splitData(word).map((part) => ({ part, word: words[at] ?? 0 })))
  return { options: parts.map(({ part }) => part), words: words.length === 0 ? [] : parts.map(({ word }) => word) }
}

/** A UTF-16 unit takes at most three bytes, so that short texts need no counting. */
const fits = (text: string): boolean => text.length <= MAX_FSCONFIG / 3 || Buffer.byteLength(text) <= MAX_FSCONFIG

/** A new file system. `flags`: MS_*; `data`: its own options. */
export interface FileSystemRequest {
  readonly pointer: string
  readonly what: string
  readonly destination: string
  readonly fstype: string
  readonly source: string
  readonly flags: bigint
  readonly data: readonly string[]
  /** The index in mounts[].options of each entry of `data`; empty where the planner made them. */
  readonly words: readonly number[]
  readonly propagation: readonly number[]
  /** tmpcopyup. */
  readonly copyUp: boolean
}

/** What fsconfig(2) cannot say, and mount(2) can: long values, and i_version, for which there is no word. */
function needsLegacy({ flags, source }: FileSystemRequest, options: readonly string[]): boolean {
  if ((flags & MS.I_VERSION) !== 0n || !fits(source)) return true
  return options.some((option) => !fits(option) && !fits(option.slice(option.indexOf('=') + 1)))
}

/**
 * Options as mount(2) takes them: one text of at most a page, of which the kernel leaves out the rest in silence.
 *
 * Errors: MOUNT_OPTION where it is longer.
 */
export function legacyData(data: readonly string[], what: string, pointer: string, { pageSize }: HostFacts): string {
  const text = data.join(',')
  if (text.length <= (pageSize - 1) / 3 || Buffer.byteLength(text) < pageSize) return text
  const message = `${what}: its options have ${Buffer.byteLength(text)} bytes, and mount(2) takes at most ${pageSize - 1}`
  throw new TsruncError('MOUNT_OPTION', message, { pointer: `${pointer}/options` })
}

/**
 * The kernel takes an id in an option as one of the container's user namespace, and says EINVAL to one that is not mapped.
 * Engines ask for gid=5 (tty) of devpts; nothing is left out in silence.
 *
 * Errors: ID_NOT_MAPPED.
 */
function checkIds(
  { idMaps }: PlanBuilder,
  { what, pointer }: FileSystemRequest,
  options: readonly string[],
  words: readonly number[],
) {
  if (idMaps === undefined) return
  options.forEach((option, index) => {
    const [, kind, id] = /^(uid|gid)=(\d{1,10})$/.exec(option) ?? []
    const maps = kind === 'uid' ? idMaps.uids : idMaps.gids
    if (id === undefined || mappedId(maps, Number(id)) !== undefined) return
    const word = words[index]
    throw new TsruncError(
      'ID_NOT_MAPPED',
      `${what}: ${kind} ${id} of option "${option}" is in none of the ranges of /linux/${kind}Mappings; ` +
        'leave the option out, as tsrunc spec --rootless does, or map the id',
      { pointer: word === undefined ? pointer : `${pointer}/options/${word}` },
    )
  })
}

/** Errors: ID_NOT_MAPPED; NOT_SUPPORTED for tmpcopyup together with what only mount(2) can do; MOUNT_OPTION. */
export function planFileSystem(builder: PlanBuilder, request: FileSystemRequest): void {
  const { pointer, what, fstype, flags, data, copyUp } = request
  const { options, words } = splitOptions(request)
  checkIds(builder, request, options, words)
  const label = fileSystemLabel(builder, fstype, options)
  const labelled = label === '' ? data : [...data, quotedLabel(label)]
  const legacy = needsLegacy(request, options)
  if (legacy && copyUp) {
    const message = `${what}: tmpcopyup together with iversion or with a value of more than ${MAX_FSCONFIG} bytes`
    throw new TsruncError('NOT_SUPPORTED', `${message} is not supported`, { pointer: `${pointer}/options` })
  }
  builder.init.push({
    kind: 'mountFs',
    pointer,
    what,
    destination: request.destination,
    fstype,
    source: request.source,
    options,
    words,
    superFlags: superWordsOf(flags),
    attributes: attributesOf(flags),
    legacy,
    legacyFlags: flags,
    legacyData: legacy ? legacyData(labelled, what, pointer, builder.facts) : labelled.join(','),
    propagation: request.propagation,
    inheritMode: fstype === 'tmpfs' && !options.some((option) => option.startsWith('mode=')),
    copyUp,
    label,
  })
  planFileLabel(builder, request)
}

/** An entry of mounts, as a file system of type `fstype`. Errors: NOT_SUPPORTED. */
export function planFileSystemMount(builder: PlanBuilder, mount: MountPlan, fstype = mount.type): void {
  const { pointer, what, destination, source, options, readonlyLater } = mount
  const { data, words, propagation, copyUp } = options
  const flags = readonlyLater ? options.flags & ~MS.RDONLY : options.flags
  planFileSystem(builder, { pointer, what, destination, fstype, source, flags, data, words, propagation, copyUp })
}
