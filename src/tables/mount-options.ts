import { MOUNT_ATTR, MS } from './mount-flags'

/**
 * What a word of mounts[].options means (config.md "Linux mount options"). Words that are not here belong to the file
 * system and are passed to it.
 *
 * - attribute: `set`/`clear` are MOUNT_ATTR_* bits; `flag` is the MS_* bit of mount(2) which it sets, `clearFlag` the
 *   one it clears. `recursive`: the whole tree (mount_setattr with AT_RECURSIVE). A word that clears ATIME_MASK is about access
 *   times: the mode to set is that of all their bits together.
 * - super: a property of the file system: `word` for fsconfig(2), or none where the word means the default.
 * - propagation: MS_* type, with MS_REC in the r-variants.
 * - bind, remount, idmap, copyUp: decide what kind of mount it is.
 * - links: a symbolic link as the source or at the destination of a bind mount (crun(1)): `copy` makes the link anew
 *   instead of a mount, `source` mounts the link itself, `destination` mounts over the link itself.
 * - ignored: `defaults`, and what changes nothing for a new mount (silent, loud).
 */
export type MountOption =
  | {
      readonly kind: 'attribute'
      readonly set: bigint
      readonly clear: bigint
      readonly flag: bigint
      readonly clearFlag: bigint
      readonly recursive: boolean
    }
  | { readonly kind: 'super'; readonly word: string; readonly flag: bigint; readonly clearFlag: bigint }
  | { readonly kind: 'propagation'; readonly flag: bigint }
  | { readonly kind: 'bind'; readonly recursive: boolean }
  | { readonly kind: 'idmap'; readonly recursive: boolean }
  | { readonly kind: 'links'; readonly which: 'copy' | 'source' | 'destination' }
  | { readonly kind: 'remount' }
  | { readonly kind: 'copyUp' }
  | { readonly kind: 'ignored'; readonly flag: bigint }

const on = (set: bigint, flag: bigint, recursive = false): MountOption => ({
  kind: 'attribute',
  set,
  clear: 0n,
  flag,
  clearFlag: 0n,
  recursive,
})
const off = (clear: bigint, clearFlag: bigint, recursive = false): MountOption => ({
  kind: 'attribute',
  set: 0n,
  clear,
  flag: 0n,
  clearFlag,
  recursive,
})
/** One of the access time modes. As with mount(2), strictatime wins over noatime, and noatime over relatime. */
const atime = (flag: bigint, recursive = false): MountOption => ({
  kind: 'attribute',
  set: 0n,
  clear: MOUNT_ATTR.ATIME_MASK,
  flag,
  clearFlag: 0n,
  recursive,
})
/** Ends one of the access time modes: back to another one that was asked for, or to RELATIME, the kernel's default. */
const atimeOff = (clearFlag: bigint, recursive = false): MountOption => ({
  kind: 'attribute',
  set: 0n,
  clear: MOUNT_ATTR.ATIME_MASK,
  flag: 0n,
  clearFlag,
  recursive,
})
/** The kernel always has a mode; without relatime it is still that one or what another word says. */
const noRelatime = (recursive = false): MountOption => ({
  kind: 'attribute',
  set: 0n,
  clear: 0n,
  flag: 0n,
  clearFlag: MS.RELATIME,
  recursive,
})
const superWord = (word: string, flag: bigint): MountOption => ({ kind: 'super', word, flag, clearFlag: 0n })
const superOff = (word: string, clearFlag: bigint): MountOption => ({ kind: 'super', word, flag: 0n, clearFlag })
const propagation = (flag: bigint): MountOption => ({ kind: 'propagation', flag })

/**
 * Sorted by name; read by the planner, `tsrunc features` and the manual. A superblock has no tree: rsync and its like,
 * words of crun, say the same as without the r.
 */
export const MOUNT_OPTIONS = {
  async: superOff('async', MS.SYNCHRONOUS),
  atime: atimeOff(MS.NOATIME),
  bind: { kind: 'bind', recursive: false },
  'copy-symlink': { kind: 'links', which: 'copy' },
  defaults: { kind: 'ignored', flag: 0n },
  'dest-nofollow': { kind: 'links', which: 'destination' },
  dev: off(MOUNT_ATTR.NODEV, MS.NODEV),
  diratime: off(MOUNT_ATTR.NODIRATIME, MS.NODIRATIME),
  dirsync: superWord('dirsync', MS.DIRSYNC),
  exec: off(MOUNT_ATTR.NOEXEC, MS.NOEXEC),
  idmap: { kind: 'idmap', recursive: false },
  iversion: superWord('iversion', MS.I_VERSION),
  lazytime: superWord('lazytime', MS.LAZYTIME),
  loud: { kind: 'ignored', flag: 0n },
  mand: superWord('mand', MS.MANDLOCK),
  noatime: atime(MS.NOATIME),
  nodev: on(MOUNT_ATTR.NODEV, MS.NODEV),
  nodiratime: on(MOUNT_ATTR.NODIRATIME, MS.NODIRATIME),
  noexec: on(MOUNT_ATTR.NOEXEC, MS.NOEXEC),
  noiversion: superOff('', MS.I_VERSION),
  nolazytime: superOff('nolazytime', MS.LAZYTIME),
  nomand: superOff('nomand', MS.MANDLOCK),
  norelatime: noRelatime(),
  nostrictatime: atimeOff(MS.STRICTATIME),
  nosuid: on(MOUNT_ATTR.NOSUID, MS.NOSUID),
  nosymfollow: on(MOUNT_ATTR.NOSYMFOLLOW, MS.NOSYMFOLLOW),
  private: propagation(MS.PRIVATE),
  rasync: superOff('async', MS.SYNCHRONOUS),
  ratime: atimeOff(MS.NOATIME, true),
  rbind: { kind: 'bind', recursive: true },
  rdev: off(MOUNT_ATTR.NODEV, MS.NODEV, true),
  rdiratime: off(MOUNT_ATTR.NODIRATIME, MS.NODIRATIME, true),
  rdirsync: superWord('dirsync', MS.DIRSYNC),
  relatime: atime(MS.RELATIME),
  remount: { kind: 'remount' },
  rexec: off(MOUNT_ATTR.NOEXEC, MS.NOEXEC, true),
  ridmap: { kind: 'idmap', recursive: true },
  rmand: superWord('mand', MS.MANDLOCK),
  rnoatime: atime(MS.NOATIME, true),
  rnodev: on(MOUNT_ATTR.NODEV, MS.NODEV, true),
  rnodiratime: on(MOUNT_ATTR.NODIRATIME, MS.NODIRATIME, true),
  rnoexec: on(MOUNT_ATTR.NOEXEC, MS.NOEXEC, true),
  rnomand: superOff('nomand', MS.MANDLOCK),
  rnorelatime: noRelatime(true),
  rnostrictatime: atimeOff(MS.STRICTATIME, true),
  rnosuid: on(MOUNT_ATTR.NOSUID, MS.NOSUID, true),
  rnosymfollow: on(MOUNT_ATTR.NOSYMFOLLOW, MS.NOSYMFOLLOW, true),
  ro: on(MOUNT_ATTR.RDONLY, MS.RDONLY),
  rprivate: propagation(MS.PRIVATE | MS.REC),
  rrelatime: atime(MS.RELATIME, true),
  rro: on(MOUNT_ATTR.RDONLY, MS.RDONLY, true),
  rrw: off(MOUNT_ATTR.RDONLY, MS.RDONLY, true),
  rshared: propagation(MS.SHARED | MS.REC),
  rslave: propagation(MS.SLAVE | MS.REC),
  rstrictatime: atime(MS.STRICTATIME, true),
  rsuid: off(MOUNT_ATTR.NOSUID, MS.NOSUID, true),
  rsymfollow: off(MOUNT_ATTR.NOSYMFOLLOW, MS.NOSYMFOLLOW, true),
  rsync: superWord('sync', MS.SYNCHRONOUS),
  runbindable: propagation(MS.UNBINDABLE | MS.REC),
  rw: off(MOUNT_ATTR.RDONLY, MS.RDONLY),
  shared: propagation(MS.SHARED),
  silent: { kind: 'ignored', flag: MS.SILENT },
  slave: propagation(MS.SLAVE),
  'src-nofollow': { kind: 'links', which: 'source' },
  strictatime: atime(MS.STRICTATIME),
  suid: off(MOUNT_ATTR.NOSUID, MS.NOSUID),
  symfollow: off(MOUNT_ATTR.NOSYMFOLLOW, MS.NOSYMFOLLOW),
  sync: superWord('sync', MS.SYNCHRONOUS),
  tmpcopyup: { kind: 'copyUp' },
  unbindable: propagation(MS.UNBINDABLE),
} as const satisfies Readonly<Record<string, MountOption>>

/** The word carries mappings of its own, see idmap-option.ts. */
export const isIdmapWithMaps = (word: string): boolean => word.startsWith('idmap=') || word.startsWith('ridmap=')

/** The meaning of a word, or undefined for a file system's own option. */
export function mountOption(word: string): MountOption | undefined {
  const name = isIdmapWithMaps(word) ? word.slice(0, word.indexOf('=')) : word
  return Object.hasOwn(MOUNT_OPTIONS, name) ? MOUNT_OPTIONS[name as keyof typeof MOUNT_OPTIONS] : undefined
}
