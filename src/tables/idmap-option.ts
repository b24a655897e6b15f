/**
 * The options `idmap=uids=LIST;gids=LIST` and `ridmap=…` of mounts[], which crun(1) calls "idmap mount options": the
 * mappings of one mount as a word. LIST is made of triples FILESYSTEM-HOST-SIZE, joined by "#". A triple behind "@" is
 * relative: HOST is an id of the container's user namespace.
 */

/** A range of ids as in linux.uidMappings. Of an id-mapped mount `containerID` is the id on the file system. */
export interface IdRange {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}

export interface IdMaps {
  readonly uids: readonly IdRange[]
  readonly gids: readonly IdRange[]
}

/** Why a word cannot be read: the end of a sentence that begins with the word. */
export class IdmapFault {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

const KEYS = { uids: '/linux/uidMappings', gids: '/linux/gidMappings' } as const
const TRIPLE = /^(@?)(\d{1,10})-(\d{1,10})-(\d{1,10})$/
/** The last id, 2^32-1, is "no id" to the kernel. */
const END_OF_IDS = 4294967295

/** The part of `of` from `id` on, at most `size` ids long, in ids of the host. */
function resolveFrom(of: readonly IdRange[], id: number, size: number): { hostID: number; size: number } | undefined {
  const found = of.find((range) => id >= range.containerID && id - range.containerID < range.size)
  if (found === undefined) return undefined
  const skipped = id - found.containerID
  return { hostID: found.hostID + skipped, size: Math.min(size, found.size - skipped) }
}

/** A relative range in ids of the host: one range for each of the container's that it touches. */
function resolveRange({ containerID, hostID, size }: IdRange, of: readonly IdRange[]): IdRange[] | undefined {
  const out: IdRange[] = []
  for (let done = 0; done < size; ) {
    const part = resolveFrom(of, hostID + done, size - done)
    if (part === undefined) return undefined
    out.push({ containerID: containerID + done, ...part })
    done += part.size
  }
  return out
}

function readTriple(text: string, key: keyof IdMaps, container: IdMaps): readonly IdRange[] | IdmapFault {
  const [, relative, ...numbers] = TRIPLE.exec(text) ?? []
  if (relative === undefined) {
    return new IdmapFault(`${JSON.stringify(text)} must be three numbers as in "0-1000-1", or "@0-1000-1"`)
  }
  const [containerID = 0, hostID = 0, size = 0] = numbers.map(Number)
  if (size === 0) return new IdmapFault(`${JSON.stringify(text)} has the size 0`)
  if (Math.max(containerID, hostID) + size > END_OF_IDS) {
    return new IdmapFault(`${JSON.stringify(text)} ends beyond the last id, ${END_OF_IDS - 1}`)
  }
  const range = { containerID, hostID, size }
  if (relative === '') return [range]
  const resolved = resolveRange(range, container[key])
  return resolved ?? new IdmapFault(`${JSON.stringify(text)} is relative, and not all of its ids are in ${KEYS[key]}`)
}

function readList(text: string, key: keyof IdMaps, container: IdMaps): readonly IdRange[] | IdmapFault {
  const out: IdRange[] = []
  for (const triple of text.split('#')) {
    const ranges = readTriple(triple, key, container)
    if (ranges instanceof IdmapFault) return ranges
    out.push(...ranges)
  }
  return out
}

const isKey = (name: string): name is keyof IdMaps => Object.hasOwn(KEYS, name)

/** The mappings that the word, `idmap=…` or `ridmap=…`, asks for. `container`: linux.uidMappings and gidMappings. */
export function readIdmapOption(word: string, container: IdMaps): IdMaps | IdmapFault {
  const maps: { -readonly [K in keyof IdMaps]?: IdMaps[K] } = {}
  for (const part of word.slice(word.indexOf('=') + 1).split(';')) {
    const name = part.slice(0, Math.max(0, part.indexOf('=')))
    if (!isKey(name)) return new IdmapFault(`${JSON.stringify(part)} is neither uids=… nor gids=…`)
    if (maps[name] !== undefined) return new IdmapFault(`it has ${name} twice`)
    const list = readList(part.slice(name.length + 1), name, container)
    if (list instanceof IdmapFault) return list
    maps[name] = list
  }
  const { uids, gids } = maps
  if (uids === undefined || gids === undefined) {
    return new IdmapFault(`it has no ${uids === undefined ? 'uids' : 'gids'}: both uids and gids are needed`)
  }
  return { uids, gids }
}
