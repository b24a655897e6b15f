import { quote, TsruncError } from '../errors'
import { S_IFCHR } from '../tables/devices'
import { MS } from '../tables/mount-flags'
import type { PlanBuilder } from './builder'
import { fileSystemLabel } from './labels'
import { NO_SLOT } from './ops'
import { cleanPath } from './paths'

const PROPAGATION = {
  private: MS.PRIVATE,
  rprivate: MS.PRIVATE | MS.REC,
  rshared: MS.SHARED | MS.REC,
  rslave: MS.SLAVE | MS.REC,
  runbindable: MS.UNBINDABLE | MS.REC,
  shared: MS.SHARED,
  slave: MS.SLAVE,
  unbindable: MS.UNBINDABLE,
} as const satisfies Readonly<Record<string, bigint>>

/** linux.rootfsPropagation as MS_*, 0 where absent. */
function rootPropagation({ spec }: PlanBuilder): bigint {
  const word = spec.linux?.rootfsPropagation ?? ''
  if (word === '') return 0n
  if (Object.hasOwn(PROPAGATION, word)) return PROPAGATION[word as keyof typeof PROPAGATION]
  const message = `rootfsPropagation ${quote(word)} is none of shared, slave, private and unbindable`
  throw new TsruncError('ROOTFS_PROPAGATION', message, { pointer: '/linux/rootfsPropagation' })
}

/**
 * How every mount of the new namespace takes part in the host's propagation while the root is set up. Where nothing is
 * said: slave, as with runc, so that mounts of the host still arrive and none goes out. An unbindable tree could not be
 * bound from: it is private until the root is entered.
 */
function treePropagation(root: bigint): bigint {
  const type = root & (MS.SHARED | MS.SLAVE | MS.PRIVATE)
  if (root === 0n) return MS.REC | MS.SLAVE
  return MS.REC | (type === 0n ? MS.PRIVATE : type)
}

/** Before the mounts: the tree's propagation, and the root, which becomes a mount of its own. */
export function planOpenRoot(builder: PlanBuilder): void {
  const { init, options, namespaces } = builder
  // The propagation of a namespace which is not the container's own is not the container's to change.
  if (namespaces.kinds.mount === 'new') {
    init.push({
      kind: 'prepareMountTree',
      pointer: '/linux/rootfsPropagation',
      what: 'prepare the mount namespace',
      rootfs: options.rootfs,
      flags: treePropagation(rootPropagation(builder)),
    })
  }
  init.push({ kind: 'openRoot', pointer: '/root/path', what: 'open the root', path: options.rootfs, bind: true })
}

/** Mounts of a container without a new mount namespace do not end with it: they are noted, to be undone by delete. */
export function planJournalMounts({ create, options, namespaces }: PlanBuilder): void {
  if (namespaces.kinds.mount === 'new') return
  create.push({
    kind: 'journalMounts',
    pointer: '/linux/namespaces',
    what: 'note the mounts',
    path: options.rootfs,
    namespacePath: namespaces.paths.mount ?? '',
  })
}

/** runc makes a missing working directory; engines rely on it. */
export function planWorkingDirectory({ init, spec }: PlanBuilder): void {
  const path = cleanPath(spec.process?.cwd ?? '/')
  if (path === '/') return
  init.push({
    kind: 'makeDirectory',
    pointer: '/process/cwd',
    what: `make the working directory ${quote(path)}`,
    path,
    mode: 0o755,
  })
}

/** config-linux.md "Masked Paths" and "Readonly Paths". */
export function planRestrictedPaths(builder: PlanBuilder): void {
  const { maskedPaths = [], readonlyPaths = [] } = builder.spec.linux ?? {}
  if (maskedPaths.length > 0) planMasks(builder, maskedPaths)
  readonlyPaths.forEach((entry, index) => {
    const path = cleanPath(entry)
    const what = `make ${quote(path)} read-only`
    builder.init.push({ kind: 'readonlyPath', pointer: `/linux/readonlyPaths/${index}`, what, path })
  })
}

function planMasks(builder: PlanBuilder, paths: readonly string[]): void {
  const nullSlot = builder.opensTrees
    ? builder.openTree({
        pointer: '/linux/maskedPaths',
        what: 'mask paths',
        source: '/dev/null',
        recursive: false,
        nofollow: false,
        device: { type: S_IFCHR, major: 1, minor: 3 },
      })
    : NO_SLOT
  const label = fileSystemLabel(builder, 'tmpfs', [])
  paths.forEach((entry, index) => {
    const path = cleanPath(entry)
    const pointer = `/linux/maskedPaths/${index}`
    builder.init.push({ kind: 'maskPath', pointer, what: `mask ${quote(path)}`, path, nullSlot, label })
  })
}

export function planReadonlyRoot({ init, spec }: PlanBuilder): void {
  if (spec.root?.readonly !== true) return
  init.push({ kind: 'setReadonly', pointer: '/root/readonly', what: 'make the root read-only', path: '/' })
}

/** Enter the root. pivot_root(2) would change what others see in a mount namespace that is not the container's own. */
export function planEnterRoot(builder: PlanBuilder): void {
  const { init, options, namespaces } = builder
  const kind = namespaces.kinds.mount !== 'new' ? 'changeRoot' : options.noPivot ? 'moveRoot' : 'pivotRoot'
  init.push({ kind, pointer: '/root/path', what: 'enter the root' })
  const flags = rootPropagation(builder)
  if (flags === 0n) return
  const what = "set the root's propagation"
  init.push({ kind: 'setRootPropagation', pointer: '/linux/rootfsPropagation', what, flags })
}
