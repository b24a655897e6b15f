import { quote } from '../../errors'
import type { Spec } from '../../spec/types'
import { cgroupError } from './setting'

const POINTER = '/linux/cgroupsPath'

/** UNIT_NAME_MAX of systemd, without the NUL. */
const MAX_UNIT = 255

/** The unit of a container, and where its cgroup is. */
export interface SystemdUnit {
  /** As in "libpod-abc.scope". */
  readonly unit: string
  /** The slice that it is in, as in "machine.slice". */
  readonly slice: string
  /** Beneath the manager's own cgroup, as in "/machine.slice/libpod-abc.scope". */
  readonly path: string
  /** The unit is a slice itself: systemd puts no process into it. */
  readonly isSlice: boolean
}

const invalid = (given: string, why: string) =>
  cgroupError('CGROUP_PATH', `invalid cgroupsPath ${quote(given)}: ${why}`, POINTER)

/** systemd.unit(5): ASCII letters and digits, and ":", "-", "_", ".", "\" and "@". */
const UNIT_CHARACTERS = /^[A-Za-z0-9:_.\\@-]+$/

/** As systemd-escape(1) does it with what a unit's name must not have; an id may have a "+". */
const escaped = (name: string): string =>
  name.replace(/[^A-Za-z0-9:_.-]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** systemd.slice(5): "a-b.slice" is in "a.slice". Each slice from the outermost on. */
function slices(slice: string, given: string): readonly string[] {
  if (slice === '-.slice') return []
  const name = slice.replace(/\.slice$/, '')
  const isValid =
    slice.endsWith('.slice') && UNIT_CHARACTERS.test(slice) && slice.length <= MAX_UNIT && !name.startsWith('.')
  const parts = name.split('-')
  if (!isValid || parts.includes('')) throw invalid(given, `invalid slice name: ${slice}`)
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`)
}

/** Names of files and controllers are taken in a directory of cgroups: systemd puts "_" in front of such a unit's. */
const RESERVED =
  /^(?:[_.]|(?:notify_on_release|release_agent|tasks)$|(?:cgroup|cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-\w+)\.)/

const directoryOf = (name: string): string => (RESERVED.test(name) ? `_${name}` : name)

function unitName(prefix: string, name: string, given: string): string {
  if (name === '') throw invalid(given, 'its third part, the name, is empty')
  const unit = name.endsWith('.slice') ? name : `${prefix === '' ? '' : `${prefix}-`}${name}.scope`
  if (!UNIT_CHARACTERS.test(unit) || unit.length > MAX_UNIT) {
    throw invalid(given, `${quote(unit)} is not a name that a unit of systemd may have`)
  }
  return unit
}

/** In runc's words, for which engines and people search. */
function parts(given: string): readonly [slice: string, prefix: string, name: string] {
  const found = given.split(':')
  const [slice, prefix, name] = found
  if (found.length !== 3 || slice === undefined || prefix === undefined || name === undefined) {
    const message = `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got ${quote(given)} instead`
    throw cgroupError('CGROUP_PATH', message, POINTER)
  }
  return [slice, prefix, name]
}

/**
 * linux.cgroupsPath for systemd: "slice:prefix:name" is the scope "prefix-name.scope", or the slice "name" where that ends
 * in .slice. Without a path it is the container's id in the usual slice.
 *
 * Errors: CGROUP_PATH.
 */
export function systemdUnit(spec: Spec, id: string, usualSlice: string): SystemdUnit {
  const given = spec.linux?.cgroupsPath ?? ''
  const [slice, prefix, name] = given === '' ? ['', 'tsrunc', escaped(id)] : parts(given)
  const unit = unitName(prefix, name, given)
  const isSlice = unit.endsWith('.slice')
  if (isSlice) {
    // Where a slice is follows from its name alone.
    const all = slices(unit, given)
    const parent = all.at(-2) ?? '-.slice'
    if (all.length === 0 || (slice !== '' && slice !== parent)) {
      throw invalid(given, `slice ${unit} cannot be in ${slice === '' ? '-.slice' : slice}: its name says where it is`)
    }
    return { unit, slice: parent, path: `/${all.map(directoryOf).join('/')}`, isSlice }
  }
  const parent = slice === '' ? usualSlice : slice
  const directories = [...slices(parent, given), unit].map(directoryOf)
  return { unit, slice: parent, path: `/${directories.join('/')}`, isSlice }
}

/** systemd's object path of a unit: what is neither a letter nor a digit is "_XX". */
export const unitObject = (unit: string): string => {
  const name = [...Buffer.from(unit)].map((byte, index) => {
    const character = String.fromCharCode(byte)
    const isPlain = /[A-Za-z]/.test(character) || (index > 0 && /\d/.test(character))
    return isPlain ? character : `_${byte.toString(16).padStart(2, '0')}`
  })
  return `/org/freedesktop/systemd1/unit/${name.join('')}`
}
