import type { Mount } from '../spec/types'
import { MOUNT_ATTR, MS } from '../tables/mount-flags'
import { isIdmapWithMaps, type MountOption, mountOption } from '../tables/mount-options'

/** idmap or ridmap, with mappings of its own or without. */
export interface IdmapWord {
  readonly word: string
  /** Its index in mounts[].options. */
  readonly index: number
  readonly recursive: boolean
  readonly hasMaps: boolean
}

/** What is done with a symbolic link in the place of a bind mount's source or destination: it is followed, but for … */
export interface LinkOptions {
  /** copy-symlink: a source that is a link is made anew at the destination. */
  readonly copy: boolean
  /** src-nofollow: a source that is a link is mounted itself. */
  readonly source: boolean
  /** dest-nofollow: a destination that is a link is covered itself. */
  readonly destination: boolean
}

export const FOLLOW_LINKS: LinkOptions = { copy: false, source: false, destination: false }

/** mounts[].options as numbers (config.md "Linux mount options"). */
export interface MountFlags {
  readonly bind: boolean
  /** rbind. */
  readonly recursive: boolean
  readonly remount: boolean
  readonly copyUp: boolean
  readonly idmap: IdmapWord | undefined
  readonly links: LinkOptions
  /** MS_* of mount(2), of all words in their order. */
  readonly flags: bigint
  /** MOUNT_ATTR_* that the words set and clear: of the mount, and of the tree (the r-variants). */
  readonly set: bigint
  readonly clear: bigint
  readonly setAll: bigint
  readonly clearAll: bigint
  /** MS_* types in order. */
  readonly propagation: readonly number[]
  /** The file system's own options. */
  readonly data: readonly string[]
  /** The index in `options` of each entry of `data`; empty where the planner made them. */
  readonly words: readonly number[]
}

type Draft = { -readonly [K in keyof MountFlags]: MountFlags[K] } & {
  propagation: number[]
  data: string[]
  words: number[]
}

/** MS_* of access times that the words have set so far: of the mount, and of the tree. */
interface Times {
  own: bigint
  tree: bigint
}

type Attribute = Extract<MountOption, { kind: 'attribute' }>

/** mount(2): MS_STRICTATIME wins over MS_NOATIME; without them it is RELATIME. */
function timeMode(flags: bigint): bigint {
  if ((flags & MS.STRICTATIME) !== 0n) return MOUNT_ATTR.STRICTATIME
  return (flags & MS.NOATIME) !== 0n ? MOUNT_ATTR.NOATIME : MOUNT_ATTR.RELATIME
}

/** What the word sets. One about access times may leave another one in force: noatime, strictatime, nostrictatime. */
function setBy({ set, clear, flag, clearFlag, recursive }: Attribute, times: Times): bigint {
  if (clear !== MOUNT_ATTR.ATIME_MASK) return set
  const scope = recursive ? 'tree' : 'own'
  times[scope] = (times[scope] & ~clearFlag) | flag
  return timeMode(times[scope])
}

function addAttribute(draft: Draft, option: Attribute, times: Times): void {
  const { clear, flag, clearFlag, recursive } = option
  const set = setBy(option, times)
  draft.flags = (draft.flags & ~clearFlag) | flag
  if (recursive) {
    draft.setAll = (draft.setAll & ~clear) | set
    draft.clearAll = (draft.clearAll & ~set) | clear
  } else {
    draft.set = (draft.set & ~clear) | set
    draft.clear = (draft.clear & ~set) | clear
  }
}

/** Of several words the last one's mappings count, and the tree is mapped as soon as one of them says so. */
function addIdmap(draft: Draft, word: string, index: number, recursive: boolean): void {
  const hasMaps = isIdmapWithMaps(word)
  const before = draft.idmap
  const kept = before?.hasMaps === true && !hasMaps ? before : { word, index, hasMaps }
  draft.idmap = { ...kept, recursive: recursive || before?.recursive === true }
}

function addWord(draft: Draft, word: string, index: number, times: Times): void {
  const option = mountOption(word)
  switch (option?.kind) {
    case undefined:
      // Engines in Go leave empty words behind.
      if (word === '') return
      draft.data.push(word)
      draft.words.push(index)
      return
    case 'attribute':
      addAttribute(draft, option, times)
      return
    case 'super':
      draft.flags = (draft.flags & ~option.clearFlag) | option.flag
      return
    case 'propagation':
      draft.propagation.push(Number(option.flag))
      return
    case 'bind':
      draft.bind = true
      draft.recursive ||= option.recursive
      return
    case 'remount':
      draft.remount = true
      return
    case 'copyUp':
      draft.copyUp = true
      return
    case 'ignored':
      draft.flags |= option.flag
      return
    case 'idmap':
      addIdmap(draft, word, index, option.recursive)
      return
    case 'links':
      draft.links = { ...draft.links, [option.which]: true }
      return
  }
}

export function parseMountOptions(mount: Mount): MountFlags {
  const draft: Draft = {
    bind: false,
    recursive: false,
    remount: false,
    copyUp: false,
    idmap: undefined,
    links: FOLLOW_LINKS,
    flags: 0n,
    set: 0n,
    clear: 0n,
    setAll: 0n,
    clearAll: 0n,
    propagation: [],
    data: [],
    words: [],
  }
  const times: Times = { own: 0n, tree: 0n }
  mount.options?.forEach((word, index) => {
    addWord(draft, word, index, times)
  })
  return draft
}

/** MOUNT_ATTR_* of a new mount with these MS_* flags. RELATIME is the kernel's default, its attribute is zero. */
export function attributesOf(flags: bigint): bigint {
  let out = 0n
  for (const name of ['RDONLY', 'NOSUID', 'NODEV', 'NOEXEC', 'NODIRATIME', 'NOSYMFOLLOW', 'NOATIME'] as const) {
    if ((flags & MS[name]) !== 0n) out |= MOUNT_ATTR[name]
  }
  // mount(2): MS_STRICTATIME wins over MS_NOATIME.
  return (flags & MS.STRICTATIME) !== 0n ? (out & ~MOUNT_ATTR.NOATIME) | MOUNT_ATTR.STRICTATIME : out
}

const SUPER_WORDS = [
  [MS.RDONLY, 'ro'],
  [MS.SYNCHRONOUS, 'sync'],
  [MS.DIRSYNC, 'dirsync'],
  [MS.MANDLOCK, 'mand'],
  [MS.LAZYTIME, 'lazytime'],
] as const

/** The words of fsconfig(2) for the superblock's properties among MS_* flags. */
export const superWordsOf = (flags: bigint): readonly string[] =>
  SUPER_WORDS.filter(([flag]) => (flags & flag) !== 0n).map(([, word]) => word)

/** Properties of a superblock, which a bind mount shares with its source. */
export const SUPER_FLAGS = MS.SYNCHRONOUS | MS.DIRSYNC | MS.MANDLOCK | MS.LAZYTIME | MS.I_VERSION
