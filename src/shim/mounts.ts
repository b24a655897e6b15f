/** mount(2)'s arguments for containerd's mounts, as native/shim/mounts.h takes them. */
import { join } from 'node:path'
import { ShimError } from './errors'
import type { Mount } from './messages'

const BIND = 4096
const REC = 16384

/** mount(8)'s names: flags that are set, and those that are taken back. */
const SET: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  mand: 64,
  noatime: 1024,
  nodiratime: 2048,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  nosymfollow: 256,
  bind: BIND,
  rbind: BIND | REC,
}
const CLEAR: Readonly<Record<string, number>> = {
  rw: 1,
  suid: 2,
  dev: 4,
  exec: 8,
  async: 16,
  atime: 1024,
  diratime: 2048,
  norelatime: 1 << 21,
  nostrictatime: 1 << 24,
  nomand: 64,
}
const PROPAGATION: Readonly<Record<string, number>> = {
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  runbindable: (1 << 17) | REC,
  rprivate: (1 << 18) | REC,
  rslave: (1 << 19) | REC,
  rshared: (1 << 20) | REC,
}

/** What another program or a device would have to do. */
const REFUSED: readonly string[] = ['loop', 'uidmap', 'gidmap']

interface Read {
  readonly flags: number
  readonly propagation: number
  readonly data: readonly string[]
}

function readOptions(options: readonly string[]): Read {
  let flags = 0
  let propagation = 0
  const data: string[] = []
  for (const option of options) {
    const name = option.replace(/=.*$/s, '')
    if (REFUSED.includes(name) || name.startsWith('X-containerd')) {
      throw new ShimError(
        'unimplemented',
        `mount the root file system: option ${JSON.stringify(option)} is not known here`,
      )
    }
    const [set, clear, spread] = [SET[option], CLEAR[option], PROPAGATION[option]]
    if (set !== undefined) flags |= set
    else if (clear !== undefined) flags &= ~clear
    else if (spread !== undefined) propagation = spread
    else if (option !== 'defaults') data.push(option)
  }
  return { flags, propagation, data }
}

/** mount(2) copies one page. */
const MOST_DATA = 4096 - 512

/**
 * Lower directories as paths that are relative to what they have in common: an image of many layers has more names than the
 * kernel takes.
 */
function shorten(data: readonly string[]): { readonly directory: string; readonly data: string } {
  const whole = data.join(',')
  const lower = data.find((option) => option.startsWith('lowerdir='))
  if (Buffer.byteLength(whole) <= MOST_DATA || lower === undefined) return { directory: '', data: whole }
  const paths = lower.slice('lowerdir='.length).split(':')
  let common = paths[0] ?? ''
  while (!paths.every((path) => path.startsWith(common))) common = common.slice(0, -1)
  const directory = common.slice(0, common.lastIndexOf('/') + 1)
  if (!directory.startsWith('/')) return { directory: '', data: whole }
  const relative = paths.map((path) => path.slice(directory.length) || '.').join(':')
  const shorter = data.map((option) => (option === lower ? `lowerdir=${relative}` : option)).join(',')
  return { directory, data: shorter }
}

/** The seven words of each mount. @throws ShimError what cannot be mounted */
export function mountWords(mounts: readonly Mount[], root: string): readonly string[] {
  return mounts.flatMap(({ type, source, target, options }) => {
    if (/^(?:fuse|fuse3)\./.test(type) || type.includes('/')) {
      throw new ShimError('unimplemented', `mount the root file system: type ${JSON.stringify(type)} is not known here`)
    }
    if (target.split('/').includes('..')) {
      throw new ShimError(
        'invalidArgument',
        `mount the root file system: target ${JSON.stringify(target)} leads out of it`,
      )
    }
    const { flags, propagation, data } = readOptions(options)
    const short = type === 'overlay' ? shorten(data) : { directory: '', data: data.join(',') }
    const place = target === '' ? root : join(root, target)
    return [short.directory, type, source, place, String(flags), String(propagation), short.data]
  })
}
