import { quote, TsruncError } from '../errors'
import type { Device } from '../spec/types'
import { DEFAULT_DEVICES, S_IFBLK, S_IFCHR, S_IFIFO } from '../tables/devices'
import type { PlanBuilder } from './builder'
import { requireGid, requireUid } from './id-maps'
import { NO_SLOT } from './ops'
import { cleanPath, isWithin } from './paths'

const DEFAULT_MODE = 0o666

interface DevicePlan {
  readonly pointer: string
  readonly path: string
  readonly type: number
  readonly major: number
  readonly minor: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** fileMode, uid or gid is in config.json: a device that is there already gets them too. */
  readonly setMode: boolean
  readonly setOwner: boolean
}

function deviceType({ type }: Device): number {
  switch (type) {
    case 'b':
      return S_IFBLK
    case 'c':
    case 'u':
      return S_IFCHR
    case 'p':
      return S_IFIFO
  }
}

/** Errors: DEVICE_NUMBER, ID_NOT_MAPPED. */
function readDevice(builder: PlanBuilder, device: Device, index: number): DevicePlan {
  const pointer = `/linux/devices/${index}`
  const { uid = 0, gid = 0, fileMode = DEFAULT_MODE } = device
  const numbers = { major: 0, minor: 0 }
  for (const part of ['major', 'minor'] as const) {
    const number = Number(device[part] ?? 0)
    if (!(number >= 0 && number <= 0xffffffff)) {
      const message = `device ${quote(device.path)}: ${part} number ${device[part]} is out of range`
      throw new TsruncError('DEVICE_NUMBER', message, { pointer: `${pointer}/${part}` })
    }
    numbers[part] = number
  }
  requireUid(builder.idMaps, uid, `${pointer}/uid`)
  requireGid(builder.idMaps, gid, `${pointer}/gid`)
  const type = deviceType(device)
  // The permission bits alone: some engines hand on the whole st_mode.
  const setMode = device.fileMode !== undefined
  const setOwner = device.uid !== undefined || device.gid !== undefined
  return {
    pointer,
    path: cleanPath(device.path),
    type,
    ...numbers,
    mode: fileMode & 0o7777,
    uid,
    gid,
    setMode,
    setOwner,
  }
}

/** config-linux.md "Devices" and "Default Devices": an entry for a default device takes the default's place. */
function listDevices(builder: PlanBuilder): readonly DevicePlan[] {
  const asked = builder.spec.linux?.devices?.map((device, index) => readDevice(builder, device, index)) ?? []
  const paths = new Set(asked.map(({ path }) => path))
  const defaults = DEFAULT_DEVICES.filter(({ path }) => !paths.has(path)).map(({ path, major, minor }) => ({
    pointer: '',
    path,
    type: S_IFCHR,
    major,
    minor,
    mode: DEFAULT_MODE,
    uid: 0,
    gid: 0,
    setMode: false,
    setOwner: false,
  }))
  // /dev/ptmx is always the one of the container's own devpts, see planLinks.
  return [...defaults, ...asked.filter(({ path }) => path !== '/dev/ptmx')]
}

/** In a user namespace mknod(2) of devices is refused: the host's own is bound, verified by type and number. */
function planBindDevice(builder: PlanBuilder, { pointer, path, type, major, minor }: DevicePlan): void {
  const what = `device ${quote(path)}`
  const device = { type, major, minor }
  const slot =
    builder.facts.euid === 0
      ? builder.openTree({ pointer, what, source: path, recursive: false, nofollow: false, device })
      : NO_SLOT
  builder.init.push({ kind: 'bindDevice', pointer, what, path, slot, ...device })
}

function planMakeDevice({ init }: PlanBuilder, device: DevicePlan, mustExist: boolean): void {
  init.push({ kind: 'makeDevice', what: `device ${quote(device.path)}`, ...device, mustExist })
}

/** Links of runtime-linux.md "Dev symbolic links", and those of all runtimes: ptmx, and core where there is one. */
const LINKS = [
  { path: '/dev/ptmx', target: 'pts/ptmx', replace: true, mustExist: '' },
  { path: '/dev/fd', target: '/proc/self/fd', replace: false, mustExist: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0', replace: false, mustExist: '/proc/self/fd' },
  { path: '/dev/stdout', target: '/proc/self/fd/1', replace: false, mustExist: '/proc/self/fd' },
  { path: '/dev/stderr', target: '/proc/self/fd/2', replace: false, mustExist: '/proc/self/fd' },
  { path: '/dev/core', target: '/proc/kcore', replace: false, mustExist: '/proc/kcore' },
] as const

function planLinks(builder: PlanBuilder): void {
  for (const link of LINKS) {
    builder.init.push({ kind: 'makeSymlink', pointer: '', what: `link ${quote(link.path)}`, ...link })
  }
}

/**
 * Devices and links. `foreignDev`: /dev is a bind mount and belongs to somebody else, so that nothing is made in it, as
 * with runc; what config.json lists has to be there. Devices at other places are made.
 */
export function planDevices(builder: PlanBuilder, foreignDev: boolean): void {
  const bind = builder.namespaces.kinds.user !== 'host' || builder.facts.inUserNamespace
  for (const device of listDevices(builder)) {
    const foreign = foreignDev && isWithin(device.path, '/dev')
    if (foreign && device.pointer === '') continue
    if (!foreign && bind && device.type !== S_IFIFO) planBindDevice(builder, device)
    else planMakeDevice(builder, device, foreign)
  }
  if (!foreignDev) planLinks(builder)
}
